# speedup.gp - what each step of a ladder gains: over the step before (dark), and over the first (the whole bar).
#
# Data: one step a line, name, what it changes, speed-up over the first step, gain over the step before.  Made by
# `convref plot speedup results.tsv`.
# By hand:  gnuplot speedup.gp      after changing whatever you like
if (!exists("data")) data = "speedup.tsv"
if (!exists("output")) output = "speedup.svg"
if (!exists("heading")) heading = "Speed-up over the first step"

set datafile separator "\t"
stats data using 3 nooutput
steps = STATS_records
least = STATS_min < 1 ? STATS_min / 1.05 : 1
best = STATS_max > 1.2 ? STATS_max : 1.2

set terminal svg size 900, 130 + 42 * steps dynamic enhanced font "sans-serif,14" background "white"
set output output
# in the middle of the picture, not of the bars, which are to the right of the names: long titles end within it
set title heading noenhanced offset screen -0.11, 0
set xlabel "times faster than the first step (logarithmic)"
set logscale x
set grid xtics lc rgb "#dddddd"
set border 3
set tics nomirror
unset key
set tmargin 3
set bmargin 4
set lmargin at screen 0.42
set rmargin at screen 0.80
set yrange [steps - 0.4 : -0.6]
set xrange [least : best]
set format x "%gx"
# 1 and what is far enough from its neighbour, up and down
set xtics (1)
last = 1.0
do for [tic in "1.1 1.2 1.5 2 3 5 10 20 30 50 100 200 300 500 1000"] {
    at = tic + 0.0
    if (at <= best && log(at / last) > 0.12 * log(best / least)) { set xtics add (at); last = at }
}
last = 1.0
do for [tic in "0.9 0.8 0.7 0.5 0.3 0.2 0.1 0.05 0.02 0.01"] {
    at = tic + 0.0
    if (at >= least && log(last / at) > 0.12 * log(best / least)) { set xtics add (at); last = at }
}
unset ytics
set style fill solid 1 noborder
before(i, s, gain) = i == 0 ? 1 : s / gain
less(a, b) = a < b ? a : b
more(a, b) = a > b ? a : b

# A bar from 1 to where the step before ended, light, and on to where this one ends, dark; what is lost is an empty bar.
plot data using 3:0:(1):(less(before($0, $3, $4), $3)):($0 - 0.3):($0 + 0.3) with boxxyerror lc rgb "#a9c4e4", \
     data using 3:0:(before($0, $3, $4)):(more(before($0, $3, $4), $3)):($0 - 0.3):($0 + 0.3) with boxxyerror lc rgb "#123f73", \
     data using 3:0:(less(before($0, $3, $4), $3)):(before($0, $3, $4)):($0 - 0.3):($0 + 0.3) with boxxyerror lc rgb "#a0522d" fs empty border, \
     data using (more(before($0, $3, $4), $3)):0:(sprintf($0 == 0 ? "  %.1fx" : "  %.1fx, this step %.2fx", $3, $4)) with labels left noenhanced font ",12", \
     data using (least):($0 - 0.16):(sprintf("%s  ", strcol(1))) with labels right noenhanced font ",12", \
     data using (least):($0 + 0.2):(sprintf("%s  ", strcol(2))) with labels right noenhanced tc rgb "#555555" font ",11"
