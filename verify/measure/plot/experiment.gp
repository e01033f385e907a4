# experiment.gp - a published claim run again: how many times fewer multiply-adds each way has, and how many times
# faster it was than what it is compared with, both on one machine.  Bars as long as the grey ones are what one should
# expect.
#
# Data: a way of a case a line: its name, MAC ratio, time ratio, the least and the greatest ratio of the passes.
# Made by `convref experiment --results`.   By hand:  gnuplot experiment.gp
if (!exists("data")) data = "experiment.tsv"
if (!exists("output")) output = "experiment.svg"
if (!exists("heading")) heading = "A claim, run again"

set terminal svg size 1000, 520 dynamic enhanced font "sans-serif,13" background "white"
set output output
set datafile separator "\t"
set title heading noenhanced
set ylabel "times fewer, times faster"
set logscale y
set yrange [0.01<*<0.1:*]
set arrow from graph 0, first 1 to graph 1, first 1 nohead lc rgb "#888888"
set rmargin 12
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set xtics rotate by -40 noenhanced scale 0
set key outside below
set boxwidth 0.38
set style fill solid 0.85 noborder

plot data using ($0 - 0.2):2 with boxes lc rgb "#cccccc" title "fewer MACs", \
     data using ($0 + 0.2):3:xtic(1) with boxes lc rgb "#2a6099" title "faster", \
     data using ($0 + 0.2):4:(0):($5 - $4) with vectors nohead lw 2 lc rgb "#333333" title "from pass to pass"
