// The programs as a user meets them: the whole line on a small data set, results as JSON, errors,
// exit statuses, a run that is killed.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/schema.h"
#include "support/workplace.h"

#include "base/file.h"
#include "base/random.h"
#include "data/npy.h"

using nlohmann::json;
using test::Outcome;
using test::Workplace;

namespace {

constexpr const char* kTrain =
    "nestling-train --arch small --data bars --epochs 4 --batch 32 --learning-rate 0.05 --out "
    "v.onnx";
constexpr const char* kPrune =
    "nestling-prune v.onnx --data bars --out run --min-accuracy 40 --iterations 4 --batch 32";

}  // namespace

TEST_CASE("the whole line, each tool by its files") {
  const Workplace work;
  const json trained = work.result(kTrain);
  CHECK(trained["accuracy"] > 0.9);
  CHECK(trained["macs"] > 0);
  const json roadmap = work.result(kPrune);
  CHECK(roadmap["entries"].size() == 5);
  CHECK(roadmap == json::parse(nestling::read_file(work.folder / "run/roadmap.json")));
  const json recovered =
      work.result("nestling-recover run --data bars --capacities 3 --epochs 2 --batch 32");
  CHECK(recovered["capacities"].size() == 3);
  CHECK(recovered["capacities"][2]["macs"] == trained["macs"]);
  const json packed = work.result("nestling-convert run --out model.nest");
  CHECK(packed["files"][0]["bytes"] == std::filesystem::file_size(work.folder / "model.nest"));
  CHECK(work.result("nestling-convert run --to onnx --out onnx")["files"].size() == 3);
  CHECK(work.result("nestling-convert run --to ncnn --out ncnn")["files"].size() == 6);
  CHECK(work.result("nestling-convert onnx/capacity1.onnx --out one.nest")["files"].size() == 1);
  // At another size of image than the model was trained at.
  work.result("nestling-convert run --input 1x12x16 --out larger.nest");
  CHECK_THAT(work.run("nestling-run larger.nest --data bars").err, ContainsSubstring("1x12x16"));
  const json profile =
      work.result("nestling-profile model.nest --data bars --out p.json --runs 3 --vanilla v.onnx");
  test::check_schema(nestling::read_file(work.folder / "p.json"), "profile.schema.json");
  CHECK(profile["vanilla"]["macs"] == trained["macs"]);
  CHECK(profile["capacities"][2]["accuracy"] > 0.9);

  // An image of class 3: its bar is in the last rows.
  std::string pixels(64, '\x20');
  for (size_t i = 48; i < 64; ++i) pixels[i] = '\x7f';
  nestling::write_file(work.folder / "x.pgm", "P5 8 8 255\n" + pixels);
  const json run = work.result("nestling-run model.nest --input x.pgm --output y.npy");
  CHECK(run["top"][0]["class"] == "fourth");
  CHECK(std::filesystem::file_size(work.folder / "y.npy") == 128 + 4 * 4);
  CHECK_THAT(work.run("nestling-run model.nest --capacity 3 --input x.pgm").out,
             ContainsSubstring("fourth"));
  // With another preprocessing than the file says.
  work.result("nestling-convert run --mean 0.25 --deviation 0.5 --out other.nest");
  nestling::NpyArray prepared{{1, 1, 8, 8}, {}};
  for (const char pixel : pixels) {
    prepared.data.push_back((static_cast<float>(pixel) / 255 - 0.25F) / 0.5F);
  }
  nestling::write_file(work.folder / "x.npy", nestling::npy_bytes(prepared));
  const auto likelihood = [&](const char* command) {
    return work.result(command)["top"][0]["probability"].get<double>();
  };
  const double other = likelihood("nestling-run other.nest --input x.pgm");
  CHECK(other == Approx(likelihood("nestling-run model.nest --input x.npy")));
  CHECK(other != Approx(likelihood("nestling-run model.nest --input x.pgm")));
  nestling::write_file(work.folder / "labels.txt", "one\r\ntwo\r\nthree\r\nfour\r\n");
  work.result("nestling-convert run --classes labels.txt --out other.nest");
  CHECK(work.result("nestling-run other.nest --input x.pgm")["top"][0]["class"] == "four");
  nestling::write_file(work.folder / "labels.txt", "one\ntwo\n");
  CHECK_THAT(work.run("nestling-convert run --classes labels.txt --out other.nest").err,
             ContainsSubstring("names 2 classes but has 4 outputs"));
  nestling::write_file(work.folder / "labels.txt", "one\ntwo\ncaf\xe9\nfour\n");
  CHECK_THAT(work.run("nestling-convert run --classes labels.txt --out other.nest").err,
             ContainsSubstring("labels.txt is not a text in UTF-8"));
  CHECK(work.run("nestling-convert run --mean 0.25 --out other.nest").status == 2);
  CHECK_THAT(work.run("nestling-convert run --mean 0,0 --deviation 1,1 --out other.nest").err,
             ContainsSubstring("one number for each of the 1 channels"));
  CHECK_THAT(work.run("nestling-convert run --mean 0 --deviation 1,1 --out other.nest").err,
             ContainsSubstring("one number for each of the 1 channels"));

  work.result("nestling-convert run --weights fp16 --arithmetic fp16 --out half.nest");
  const json half = work.result("nestling-run half.nest --input x.pgm");
  CHECK(half["weights"] == "fp16");
  CHECK(half["top"][0]["class"] == "fourth");
  // The small package is the nested one's first capacity.
  const json small = work.result("nestling-run one.nest --data bars");
  CHECK(small["accuracy"] == profile["capacities"][0]["accuracy"]);

  for (const int capacity : {1, 3}) {
    const json timed = work.result(fmt::format(
        "nestling-run model.nest --capacity {} --layers --trace t.json --runs 4", capacity));
    uint64_t macs = 0;
    for (const json& layer : timed["layers"]) macs += layer["macs"].get<uint64_t>();
    CHECK(macs == profile["capacities"][capacity - 1]["macs"]);
    const json events = json::parse(nestling::read_file(work.folder / "t.json"))["traceEvents"];
    REQUIRE(events.size() == 4 * timed["layers"].size());
    double end = 0;  // of the layer before
    for (const json& event : events) {
      CHECK(event["ph"] == "X");
      CHECK(event["ts"].get<double>() >= end - 1e-6);
      end = event["ts"].get<double>() + event["dur"].get<double>();
    }
  }

  const json tuned =
      work.result("nestling-profile model.nest --data bars --out t.json --runs 3 --tuning fast");
  CHECK(tuned["capacities"][2]["accuracy"] == profile["capacities"][2]["accuracy"]);
  const std::string measured = nestling::read_file(work.folder / "fast");
  work.result("nestling-run model.nest --data bars --tuning fast");
  CHECK(nestling::read_file(work.folder / "fast") == measured);

  const Outcome gate = work.run(
      "nestling-profile model.nest --data bars --out q.json --runs 3 --max-bytes 10 --quiet");
  CHECK(gate.status == 3);
  CHECK_THAT(gate.err, ContainsSubstring("more than 10"));
  CHECK(std::filesystem::exists(work.folder / "q.json"));
}

TEST_CASE("answers that are refined until they are sure are written like others") {
  const Workplace work;
  work.result(kTrain);
  work.result(kPrune);
  work.result("nestling-recover run --data bars --capacities 3 --growth causal --epochs 1");
  work.result("nestling-convert run --out m.nest");
  const auto outputs = [&](const std::string& flags) {
    work.result("nestling-run m.nest --data bars --output y.npy " + flags);
    return nestling::read_file(work.folder / "y.npy");
  };
  CHECK(outputs("--refine --confidence 0,100") == outputs("--capacity 1"));
  CHECK(outputs("--refine --confidence 100") == outputs("--capacity 3"));
}

TEST_CASE("a folder of images, and training that goes on from a model") {
  const Workplace work;
  // The classes of "bars" as pictures, some of them larger, one of them broken.
  nestling::Random random(11);
  for (const char* split : {"train", "val"}) {
    for (int n = 0; n < 96; ++n) {
      const std::vector<const char*> classes = {"a", "b", "c", "d"};
      const auto folder = work.folder / "pictures" / split / classes[static_cast<size_t>(n % 4)];
      std::filesystem::create_directories(folder);
      const int scale = n % 5 == 0 ? 2 : 1, side = 8 * scale;
      std::string bytes = fmt::format("P5 {} {} 255\n", side, side);
      for (int i = 0; i < side * side; ++i) {
        const bool bar = i / side / (2 * scale) == n % 4;
        bytes += static_cast<char>(random.below(100) + (bar ? 120 : 0));
      }
      nestling::write_file(folder / fmt::format("{:03}.pgm", n), bytes);
    }
  }
  const json listed = work.result("nestling-train --data pictures --input 1x8x8 --list-data");
  CHECK(listed["format"] == "images");
  CHECK(listed["splits"]["train"]["classes"] == json{{"a", 24}, {"b", 24}, {"c", 24}, {"d", 24}});
  nestling::write_file(work.folder / "pictures/train/a/broken.png", "?");
  const std::string train =
      "nestling-train --data pictures --batch 16 --learning-rate 0.05 --epochs 8 ";
  CHECK_THAT(work.run(train + "--input 1x8x8 --out v.onnx").err,
             ContainsSubstring("--max-bad allows 0"));
  const Outcome skipped = work.run(train + "--input 1x8x8 --out v.onnx --max-bad 1");
  CHECK(skipped.status == 0);
  CHECK_THAT(skipped.err,
             ContainsSubstring("skipped 1 of 97 images") && ContainsSubstring("broken.png"));
  const json more = work.result(train + "--from v.onnx --out w.onnx --max-bad 1");
  CHECK(more["accuracy"] > 0.9);
  CHECK(work.run("nestling-train --from v.onnx --arch small --epochs 0 --out x.onnx").status == 2);
  work.result(
      "nestling-train --arch small --epochs 0 --input 1x8x8 --mean 0.25 --deviation 0.5 "
      "--out untrained.onnx");
  CHECK_THAT(nestling::read_file(work.folder / "untrained.onnx"), ContainsSubstring("[0.25]"));
  work.result("nestling-convert w.onnx --out w.nest");
  // The package takes a picture as training did.
  CHECK(work.result("nestling-run w.nest --data pictures")["accuracy"] == more["accuracy"]);
  CHECK(work.result("nestling-run w.nest --input pictures/val/c/002.pgm")["top"][0]["class"] ==
        "c");
  // Its classes are not those of "bars".
  CHECK_THAT(work.run("nestling-prune w.onnx --data bars --out run").err,
             ContainsSubstring("class 0 of the model is \"a\", of the data set bars \"first\""));
}

TEST_CASE("what can be cut is explained before anything is, and a target is met") {
  const test::Workplace work;
  work.result("nestling-train --data bars --epochs 1 --batch 32 --out v.onnx");
  const auto groups = work.result("nestling-prune v.onnx --explain");
  CHECK(groups["groups"][1]["name"] == "conv1");
  CHECK_THAT(work.run("nestling-prune v.onnx --explain").out, ContainsSubstring("MACs/channel"));
  CHECK_THAT(work.run("nestling-prune v.onnx --explain=dot").out, ContainsSubstring("digraph"));
  CHECK_THAT(work.run("nestling-prune v.onnx --explain --skip nothing").err,
             ContainsSubstring("no layer of small is named nothing"));
  CHECK(work.run("nestling-prune v.onnx --out run").status == 2);
  CHECK_THAT(work.run("nestling-prune v.onnx --data bars --out run --target-macs half").err,
             ContainsSubstring("--target-macs is a number such as 250000, 300M or 50%, not half"));
  const auto roadmap = work.result(
      "nestling-prune v.onnx --data bars --out run --target-macs 60% --skip 'conv[12]' --epochs 0");
  const auto& entries = roadmap["entries"];
  CHECK(entries.back()["macs"].get<int64_t>() <= 0.6 * entries.front()["macs"].get<double>());
  for (const auto& entry : entries) CHECK(!entry["pruned"].contains("conv1"));
  // A target in milliseconds, which the model meets as it is.
  const auto timed = work.result(
      "nestling-prune v.onnx --data bars --out timed --target-latency-ms 1000 --tuning fast "
      "--epochs 0");
  CHECK(std::filesystem::file_size(work.folder / "fast") > 0);
  REQUIRE(timed["entries"].size() == 1);
  CHECK(timed["entries"][0]["latency_ms"].get<double>() > 0);
  CHECK_FALSE(std::filesystem::exists(work.folder / "timed.candidate.nest"));
  CHECK_THAT(work.run("nestling-prune v.onnx --data bars --out other --target-latency-ms 1 "
                      "--runner false")
                 .err,
             ContainsSubstring("the run tool failed: false"));
}

TEST_CASE("a model and images without labels go through the whole line") {
  const test::Workplace work;
  work.result("nestling-train --data bars --epochs 2 --batch 32 --out v.onnx");
  CHECK(work.run("nestling-prune v.onnx --data bars --out run --loss distill --agreement cosine "
                 "--iterations 2 --min-accuracy 1 --batch 32")
            .status == 0);
  const auto grown = work.result("nestling-recover run --data bars --capacities 2 --batch 32");
  CHECK(grown["measure"] == "cosine");
  work.result("nestling-convert run --out m.nest");
  const auto profile =
      work.result("nestling-profile m.nest --data bars --unlabelled --runs 3 --out p.json");
  CHECK(profile["measure"] == "cosine");
  CHECK(profile["capacities"][1]["accuracy"].get<double>() == Approx(1));
  CHECK(profile["capacities"][0]["accuracy"].get<double>() > 0);
  test::check_schema(profile.dump(), "profile.schema.json");
}

TEST_CASE("profiles become a workload that is played") {
  const test::Workplace work;
  work.result("nestling-train --data bars --epochs 1 --batch 32 --out v.onnx");
  work.result("nestling-convert v.onnx --out m.nest");
  std::filesystem::create_directories(work.folder / "loads");
  work.result("nestling-profile m.nest --data bars --runs 3 --out p.json");
  const auto workload =
      work.result("nestling-schedule --generate random --profile p.json --out loads/w.json");
  test::check_schema(workload.dump(), "workload.schema.json");
  const auto simulation = work.result("nestling-schedule --simulate loads/w.json --policy max");
  test::check_schema(simulation.dump(), "simulation.schema.json");
  CHECK(work.result("nestling-schedule --simulate loads/w.json --compare")["simulations"].size() ==
        5);
  CHECK_THAT(work.run("nestling-schedule --simulate loads/w.json --explain").out,
             ContainsSubstring("application1: capacity 1 of 1"));
  CHECK(work.run("nestling-schedule --generate six").status == 2);
  CHECK_THAT(work.run("nestling-schedule --simulate none.json").err,
             ContainsSubstring("none.json"));
}

TEST_CASE("every tool explains itself and its errors") {
  const Workplace work;
  for (const char* name : {"train", "prune", "recover", "convert", "profile", "run", "schedule"}) {
    INFO(name);
    const std::string tool = std::string("nestling-") + name;
    const Outcome help = work.run(tool + " --help");
    CHECK(help.status == 0);
    CHECK_THAT(help.out, ContainsSubstring("Example:") && ContainsSubstring(tool + " ") &&
                             ContainsSubstring("--json") && ContainsSubstring("--seed") &&
                             ContainsSubstring("--threads") && ContainsSubstring("--config"));
    CHECK_THAT(work.run(tool + " --version").out, ContainsSubstring(tool + " 0."));
    const Outcome wrong = work.run(tool + " --no-such-flag");
    CHECK(wrong.status == 2);
    CHECK(wrong.out.empty());
  }
  const auto failure = [&](const std::string& command) {
    const Outcome outcome = work.run(command);
    INFO(command);
    CHECK(outcome.status == 1);
    CHECK(outcome.out.empty());
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    return outcome.err;
  };
  CHECK_THAT(failure("nestling-train --data none --out x.onnx"),
             ContainsSubstring("no data set none"));
  CHECK_THAT(failure("nestling-train --data bars --out no/x.onnx"),
             ContainsSubstring("no does not exist"));
  CHECK_THAT(failure("nestling-prune none.onnx --data bars --out run"),
             ContainsSubstring("none.onnx"));
  CHECK_THAT(failure("nestling-recover data --data bars"), ContainsSubstring("holds no roadmap"));
  CHECK_THAT(failure("nestling-convert data --out x.nest"),
             ContainsSubstring("no multicapacity.onnx"));
  CHECK_THAT(failure("nestling-convert x.onnx --arithmetic fp16 --out x"),
             ContainsSubstring("--arithmetic fp16 needs --weights fp16"));
  CHECK_THAT(failure("nestling-convert x.onnx --to ncnn --arithmetic fp16 --out x"),
             ContainsSubstring("--arithmetic is for packages"));
  CHECK_THAT(failure("nestling-convert x.onnx --to onnx --weights fp16 --out x"),
             ContainsSubstring("--weights is not for --to onnx"));
  CHECK_THAT(failure("nestling-run data/bars/dataset.json --bench"),
             ContainsSubstring("not a .nest package"));
  CHECK_THAT(failure("nestling-run m.nest --bench --tuning none/fast"),
             ContainsSubstring("none does not exist"));
  CHECK_THAT(failure("nestling-profile data/bars/dataset.json --data bars --out p.json"),
             ContainsSubstring("not a .nest package"));
  CHECK(work.run("nestling-train --out x.onnx").status == 2);
  nestling::write_file(work.folder / "train.ini", "arch=resnet20\nepochs=0\nclasses=4\n");
  CHECK(work.result("nestling-train --config train.ini --out x.onnx")["parameters"] > 200000);
}
