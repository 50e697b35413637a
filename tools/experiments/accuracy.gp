# gnuplot -e "data='OUT/accuracy.dat'; plot='FILE.svg'" tools/experiments/accuracy.gp
set terminal svg size 720,480 font 'sans-serif,12' background '#ffffff'
set output plot
set logscale x
set xrange [7:110]
set xtics (5, 10, 20, 40, 60, 80, 100)
set xlabel 'MACs, percent of the vanilla model''s'
set ylabel 'test accuracy, percent'
set key bottom right
set grid
stats data using 1 nooutput
plot for [i=0:STATS_blocks-1] data index i using 1:2:3 with yerrorlines pt 7 ps 0.6 \
  title columnheader(1)
