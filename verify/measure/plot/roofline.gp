# roofline.gp - every layer against what this machine allows.
#
# Data, in blocks with two empty lines between:  block 0 has the points (MAC per byte, GMAC/s, kind, layer);
# each further block is one line of the roof (x, y) with its name in the third column.
# Made by `convref plot roofline results.tsv`.   By hand:  gnuplot roofline.gp
if (!exists("data")) data = "roofline.tsv"
if (!exists("output")) output = "roofline.svg"
if (!exists("heading")) heading = "Roofline: one thread"

set terminal svg size 900, 540 dynamic enhanced font "sans-serif,14" background "white"
set output output
set datafile separator "\t"
set title heading noenhanced
set xlabel "multiply-adds for each byte of operands, MAC/byte (logarithmic)"
set ylabel "GMAC/s (logarithmic)"
set logscale xy
set grid lc rgb "#dddddd"
set border 3
set tics nomirror
set key outside above noenhanced

stats data index 0 using 1:2 nooutput
set xrange [STATS_min_x / 2 : STATS_max_x * 2]
set yrange [STATS_min_y / 2 : *]
stats data using 1 nooutput
lines = STATS_blocks - 1

plot for [i = 1:lines] data index i using 1:2 with lines lw 1.5 lc rgb "#888888" notitle, \
     for [i = 1:lines] data index i using 1:2:3 every ::1::1 with labels right offset 0, 0.6 tc rgb "#666666" font ",11" notitle, \
     data index 0 using 1:(strcol(3) eq "standard" ? $2 : NaN) with points pt 7 ps 1 lc rgb "#123f73" title "standard", \
     data index 0 using 1:(strcol(3) eq "pointwise" ? $2 : NaN) with points pt 4 ps 1 lw 2 lc rgb "#2a8f8a" title "pointwise", \
     data index 0 using 1:(strcol(3) eq "grouped" ? $2 : NaN) with points pt 13 ps 1.2 lc rgb "#7b3f98" title "grouped", \
     data index 0 using 1:(strcol(3) eq "depthwise" ? $2 : NaN) with points pt 9 ps 1.2 lc rgb "#d9613f" title "depthwise", \
     data index 0 using 1:(strcol(3) eq "separable" ? $2 : NaN) with points pt 10 ps 1.2 lw 2 lc rgb "#c99a2e" title "separable"
