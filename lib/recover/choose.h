// Which of a roadmap's entries become capacities.
#pragma once

#include <string>
#include <vector>

#include "prune/roadmap.h"

namespace nestling {

enum class Spread {
  macs,      // as evenly in MACs as the roadmap allows
  latency,   // or in the times of inferences, which the roadmap must have
  accuracy,  // so that a budget drawn evenly between the seed's MACs and the vanilla model's gets
             // the highest validation accuracy that any choice gives it in the mean
};
const char* spread_name(Spread spread);
Spread spread_from_name(const std::string& name);  // throws Error

// The seed first, the vanilla model last. Throws Error if the roadmap has fewer than `capacities`
// entries.
std::vector<int> choose_entries(const Roadmap& roadmap, int capacities,
                                Spread spread = Spread::macs);

}  // namespace nestling
