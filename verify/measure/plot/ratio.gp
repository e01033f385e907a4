# ratio.gp - the promise and what came of it: how many times fewer MACs a separable layer has, and how many times faster
# it is than the standard layer that it replaces, with first-step code and with the best.
#
# Data: one block of the network a line: name, MAC ratio, and time ratios: first steps on both sides; the depthwise layer
# left behind; unfolded group by group; the last steps of all ladders.
# Made by `convref report --keep`.   By hand:  gnuplot ratio.gp
if (!exists("data")) data = "ratio.tsv"
if (!exists("output")) output = "ratio.svg"
if (!exists("heading")) heading = "Separable against standard"

set terminal svg size 900, 460 dynamic enhanced font "sans-serif,14" background "white"
set output output
set datafile separator "\t"
set title heading noenhanced
set ylabel "standard layer / separable block"
set yrange [0:*]
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set xtics rotate by -35 noenhanced scale 0
set key outside below
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.85 noborder

plot data using 2:xtic(1) lc rgb "#bbbbbb" title "fewer MACs", \
     data using 3 lc rgb "#e0c38a" title "faster: all first steps", \
     data using 4 lc rgb "#c8553d" title "depthwise left behind", \
     data using 5 lc rgb "#8a5aa8" title "depthwise by groups", \
     data using 6 lc rgb "#3b78b5" title "all last steps"
