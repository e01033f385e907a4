# networks.gp - parameters against multiply-adds, one point a network.
#
# Data: name, parameters, MACs, and where the name goes (r, l, a, b: right, left, above, below).  Made by `convref plot networks networks.tsv`, where networks.tsv comes from
# `convref count networks/*.net --format tsv`.   By hand:  gnuplot networks.gp
if (!exists("data")) data = "networks.tsv"
if (!exists("output")) output = "networks.svg"
if (!exists("heading")) heading = "Parameters and multiply-adds"

set terminal svg size 900, 560 dynamic enhanced font "sans-serif,14" background "white"
set output output
set datafile separator "\t"
set title heading noenhanced
set xlabel "parameters, millions (logarithmic)"
set ylabel "multiply-adds of one image, millions (logarithmic)"
set logscale xy
set grid lc rgb "#dddddd"
set border 3
set tics nomirror
unset key
x(column) = column / 1e6

# The ranges are known to `convref plot`, which places the names so that they don't cover each other.
stats data using (x($2)):(x($3)) nooutput
set xrange [STATS_min_x / 1.5 : STATS_max_x * 3]
set yrange [STATS_min_y / 1.6 : STATS_max_y * 1.6]

plot data using (x($2)):(x($3)) with points pt 7 ps 0.9 lc rgb "#3b78b5", \
     data using (x($2)):(strcol(4) eq "r" ? x($3) : NaN):1 with labels left offset 0.8, 0 noenhanced font ",11", \
     data using (x($2)):(strcol(4) eq "l" ? x($3) : NaN):1 with labels right offset -0.8, 0 noenhanced font ",11", \
     data using (x($2)):(strcol(4) eq "a" ? x($3) : NaN):1 with labels left offset 0, 0.7 noenhanced font ",11", \
     data using (x($2)):(strcol(4) eq "b" ? x($3) : NaN):1 with labels left offset 0, -0.7 noenhanced font ",11"
