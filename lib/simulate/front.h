// How much better one way to decide is than another, where each can trade accuracy for frames.
#pragma once

#include <string>
#include <vector>

#include "simulate/simulation.h"

namespace nestling {

// The most that the points of one front gain over the other, as NestDNN's section 6.3 counts it:
// "as much as".
struct FrontGain {
  double accuracy = 0;  // at an equal frame rate; from 0 to 1
  double frames = 1;    // times the frames, at equal accuracy
};

// Compares with the straight lines between the baseline's points that no other is better than in
// both; what lies beyond its ends is not compared. A point is a simulation's total. Frame rates are
// equal to 1 %, accuracies to 0.1 points: no gain comes from where the baseline gives much for
// little.
FrontGain gain_over(const std::vector<Simulation>& baseline, const std::vector<Simulation>& ours);

// In a sentence, without a full stop: of the way to decide `ours` against `baseline`.
std::string gain_text(const std::string& ours, const std::string& baseline, const FrontGain& gain);

}  // namespace nestling
