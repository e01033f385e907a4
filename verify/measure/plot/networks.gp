# networks.gp - parameters against multiply-adds, one point a network.
#
# Data: name, parameters, MACs; where the middle of its name goes, ? for a name that has no room; and for a name that
# isn't beside its point where the line to it ends.  Made by `convref plot networks networks.tsv`, where networks.tsv
# comes from `convref count networks/*.net --format tsv`.   By hand:  gnuplot networks.gp
if (!exists("data")) data = "networks.tsv"
if (!exists("output")) output = "networks.svg"
if (!exists("heading")) heading = "Parameters and multiply-adds"

set terminal svg size 900, 860 dynamic enhanced font "sans-serif,14" background "white"
set output output
set datafile separator "\t"
set datafile missing "?"
set title heading noenhanced
set xlabel "parameters, millions (logarithmic)"
set ylabel "multiply-adds of one input, millions (logarithmic)"
set logscale xy
set format xy "%.15g"
set grid lc rgb "#dddddd"
set border 3
set tics nomirror
unset key
x(column) = column / 1e6

# The margins and the ranges are known to `convref plot` (plot_networks.c), which places the names.
set lmargin at screen 0.12
set rmargin at screen 0.98
set tmargin at screen 0.95
set bmargin at screen 0.08
stats data using (x($2)):(x($3)) nooutput
set xrange [STATS_min_x / 1.3 : STATS_max_x * 1.3]
set yrange [STATS_min_y / 1.3 : STATS_max_y * 1.3]

plot data using (x($2)):(x($3)):(x($6) - x($2)):(x($7) - x($3)) with vectors nohead lc rgb "#888888", \
     data using (x($2)):(x($3)) with points pt 7 ps 0.6 lc rgb "#123f73", \
     data using (x($4)):(x($5)):1 with labels center noenhanced font ",11"
