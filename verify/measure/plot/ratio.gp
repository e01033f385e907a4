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
set style fill solid 1 noborder

# Light to dark, so that a grey print and colour-blind eyes tell them apart.
plot data using 2:xtic(1) lc rgb "#e4e4e4" fs solid 1 border lc rgb "#777777" title "fewer MACs", \
     data using 3 lc rgb "#e8c24a" title "faster: all first steps", \
     data using 4 lc rgb "#d9613f" title "depthwise left behind", \
     data using 5 lc rgb "#7b3f98" title "depthwise by groups", \
     data using 6 lc rgb "#123f73" title "all last steps"
