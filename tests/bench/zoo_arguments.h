// The arguments of benches that take a network of the zoo: ARCH MULTIPLIER EXTENT CAPACITIES
// [THREADS].
#pragma once

#include <cstdlib>
#include <fmt/format.h>

#include "graph/zoo.h"

struct ZooArguments {
  int capacities, threads;
  nestling::Graph graph;  // with random weights

  // Ends the program with its usage if there are too few.
  ZooArguments(int argc, char** argv, int64_t classes) {
    if (argc < 5) {
      fmt::print(stderr, "usage: {} ARCH MULTIPLIER EXTENT CAPACITIES [THREADS]\n", argv[0]);
      std::exit(2);
    }
    const int64_t extent = std::atoi(argv[3]);
    graph = nestling::make_model(
        argv[1],
        {.classes = classes, .height = extent, .width = extent, .multiplier = std::atof(argv[2])});
    capacities = std::atoi(argv[4]);
    threads = argc > 5 ? std::atoi(argv[5]) : 1;
  }
};
