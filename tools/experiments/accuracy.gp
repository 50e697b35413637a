# The rows of a table of docs/results.md as a figure:
#   node tools/experiments/rows.mjs HEADING > rows.dat
#   gnuplot -e "data='rows.dat'; plot='FILE.svg'" tools/experiments/accuracy.gp
set terminal svg size 800,560 font 'sans-serif,12' background '#ffffff'
set output plot
set logscale x
set xrange [7:110]
set xtics (5, 10, 20, 40, 60, 80, 100)
set xlabel 'MACs, percent of the vanilla model''s'
set ylabel 'test accuracy, percent'
set key below maxcols 2
set grid
stats data using 1 nooutput
plot for [i=0:STATS_blocks-2] data index i using 1:2 with linespoints pt 7 ps 0.6 \
  title columnheader(1)
