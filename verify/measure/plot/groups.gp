# groups.gp - time over groups, each way over its own time with the fewest: the U of a loop over groups, and the fit
# MACs / rate + groups t0 (dashed).  The thin line is what the multiply-adds alone would take.
#
# Data: a block for each way or published series, its name first: groups, time or ?, the fit's time.
# Made by `convref experiment groups-sweep --results`.   By hand:  gnuplot groups.gp
if (!exists("data")) data = "groups.tsv"
if (!exists("output")) output = "groups.svg"
if (!exists("heading")) heading = "What a group costs"

set terminal svg size 800, 520 dynamic enhanced font "sans-serif,13" background "white"
set output output
set datafile missing "?"
set title heading noenhanced
set xlabel "groups"
set ylabel "time, over that with the fewest groups"
set logscale xy 2
set format y "%g"
set grid lc rgb "#dddddd"
set border 3
set tics nomirror
set key outside above noenhanced

# Series differ in lightness and in the shape of their points.
array colour[6] = ["#123f73", "#d9613f", "#2a8f8a", "#c99a2e", "#7b3f98", "#7f7f7f"]
array shape[6] = [7, 4, 9, 10, 13, 6]
stats data using 1 nooutput
blocks = STATS_blocks
plot for [i=0:blocks-1] data index i using 1:2 with linespoints pt shape[i % 6 + 1] lc rgb colour[i % 6 + 1] lw 2 title columnheader(1), \
     for [i=0:blocks-1] data index i using 1:3 skip 1 with lines dt 2 lc rgb colour[i % 6 + 1] notitle, \
     1 / x with lines lc rgb "#888888" title "multiply-adds"
