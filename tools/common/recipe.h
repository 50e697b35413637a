// How tools that train are told to.
#pragma once

#include <string>

#include "common/tool.h"

#include "base/error.h"
#include "train/train.h"

namespace nestling {

// --epochs, --batch, --learning-rate, --augment, --label-smoothing, --clip.
inline void add_training_flags(CLI::App& app, TrainOptions& options, const std::string& epochs) {
  app.add_option("--epochs", options.epochs, epochs)->check(CLI::Range(0, 100000));
  app.add_option("--batch", options.batch, "Images in a step")->check(CLI::Range(1, 65536));
  app.add_option("--learning-rate", options.learning_rate,
                 "Highest of the one-cycle schedule; halved where the training diverges")
      ->check(CLI::PositiveNumber);
  app.add_option_function<std::string>(
         "--augment",
         [&options](const std::string& text) {
           try {
             options.augment = parse_augment(text);
           } catch (const Error& error) {
             throw CLI::ValidationError("--augment", error.what());
           }
         },
         "Changes of images while training, of crop,flip,cutout; none is the default: they pay in "
         "long trainings and cost accuracy in short ones")
      ->type_name("LIST");
  app.add_option("--label-smoothing", options.label_smoothing,
                 "This much of a label is spread over all classes")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--clip", options.clip, "Longest gradient of a step; 0: any")
      ->check(CLI::Range(0.0, 1e6));
}

// --distill, for training with what teaches.
inline void add_distill_flag(CLI::App& app, TrainOptions& options,
                             const std::string& what = "the vanilla model's outputs") {
  app.add_option("--distill", options.teacher_weight,
                 "Of the loss, how much is the distance from " + what + "; 0: none")
      ->check(CLI::Range(0.0, 1.0));
}

}  // namespace nestling
