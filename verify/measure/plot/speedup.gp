# speedup.gp - what each step of a ladder gains over the first.
#
# Data: one step a line, name, what it changes, speed-up.  Made by `convref plot speedup results.tsv`.
# By hand:  gnuplot speedup.gp      after changing whatever you like
if (!exists("data")) data = "speedup.tsv"
if (!exists("output")) output = "speedup.svg"
if (!exists("heading")) heading = "Speed-up over the first step"

set terminal svg size 900, 420 dynamic enhanced font "sans-serif,14" background "white"
set output output
set datafile separator "\t"
set title heading noenhanced
set xlabel "times faster (logarithmic)"
set logscale x
set grid xtics lc rgb "#dddddd"
set border 3
set tics nomirror
unset key
stats data using 3 nooutput
steps = STATS_records
set yrange [steps - 0.4 : -0.6]
set xrange [0.5 : STATS_max * 50]
set ytics noenhanced
set style fill solid 0.85 noborder

# A bar from 0.5 to the speed-up for step number $0; its name stands on the axis, its figure and its idea behind the bar.
plot data using (0.5):0:(0.5):3:($0 - 0.35):($0 + 0.35):ytic(1) with boxxyerror lc rgb "#3b78b5", \
     data using ($3 * 1.1):0:(sprintf("%.1fx  %s", $3, strcol(2))) with labels left noenhanced font ",12"
