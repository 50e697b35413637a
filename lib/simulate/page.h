// A simulation as a page that people look at.
#pragma once

#include <string>
#include <vector>

#include "simulate/simulation.h"

namespace nestling {

// One way to decide, and what came of it.
struct Played {
  std::string label;  // "total", "max", "fixed"
  Simulation simulation;
  // The same with latency weighed differently, for the front of accuracy against frame rate.
  std::vector<Simulation> front;
};

// Accuracy against frame rate alone, an SVG file for documents.
std::string front_figure(const std::vector<Played>& played);

// A self-contained HTML page, light or dark as the reader's browser asks: a table of the ways to
// decide; accuracy against frame rate; and for each way, over time, every application's capacity,
// share and late frames, and the memory below its budget. `title` names the workload; the last of
// `played` is the baseline.
std::string simulation_page(const std::string& title, const Workload& workload,
                            const std::vector<Played>& played);

}  // namespace nestling
