// Every file that a program reads, spoilt in every way: one sentence on standard error that names
// the file, exit status 1, nothing written, little memory.
#include <algorithm>

#include "support/catch.h"
#include "support/workplace.h"

#include "base/random.h"

using test::Outcome;
using test::Workplace;

namespace {

namespace fs = std::filesystem;

struct Reader {
  std::string file;     // what is spoilt
  std::string command;  // reads it
};

std::vector<fs::path> files_under(const fs::path& root) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = entry.path().filename();
    if (name != "out" && name != "err") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Runs the reader's command with 4 GB of address space and expects the one sentence.
void expect_refusal(const Workplace& work, const Reader& reader, const std::string& kind) {
  const std::vector<fs::path> before = files_under(work.folder.path());
  const Outcome outcome = work.run("ulimit -v 4000000; " + reader.command);
  INFO(reader.command << " with " << kind << " " << reader.file << ": " << outcome.err);
  CHECK(outcome.status == 1);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK_THAT(outcome.err, ContainsSubstring(fs::path(reader.file).filename().string()));
  CHECK(files_under(work.folder.path()) == before);
}

}  // namespace

TEST_CASE("spoilt files are refused in one sentence by every program") {
  const Workplace work;
  work.result(
      "nestling-train --arch small --data bars --epochs 2 --batch 32 --width 0.5 --out v.onnx");
  work.result(
      "nestling-prune v.onnx --data bars --out run --min-accuracy 20 --iterations 2 --batch 32");
  work.result("nestling-recover run --data bars --capacities 2 --epochs 1 --batch 32");
  work.result("nestling-convert run --out m.nest");
  work.result("nestling-run m.nest --data bars");
  nestling::write_file(work.folder / "x.pgm", "P5 8 8 255\n" + std::string(64, 'a'));
  work.result("nestling-run m.nest --input x.pgm --output x.npy");
  fs::copy(work.folder / "x.npy", work.folder / "in.npy");
  nestling::write_file(work.folder / "in.npy",
                       "\x93NUMPY\x01" + std::string(1, '\0') + "\x46" + std::string(1, '\0') +
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 8, 8), }" +
                           std::string(7, ' ') + "\n" + std::string(256, '\0'));
  work.result("nestling-run m.nest --input in.npy");

  const std::vector<Reader> readers = {
      {"data/bars/dataset.json", "nestling-train --data bars --epochs 1 --out t.onnx"},
      {"data/bars/train-images", "nestling-train --data bars --epochs 1 --out t.onnx"},
      {"data/bars/train-labels", "nestling-prune v.onnx --data bars --out other"},
      {"data/bars/test-images", "nestling-run m.nest --data bars"},
      {"v.onnx", "nestling-prune v.onnx --data bars --out other"},
      {"v.onnx", "nestling-convert v.onnx --out t.nest"},
      {"run/roadmap.json", "nestling-recover run --data bars --capacities 2"},
      {"run/models/001.onnx", "nestling-recover run --data bars --capacities 3"},
      {"run/multicapacity.onnx", "nestling-convert run --out t.nest"},
      {"m.nest", "nestling-run m.nest --input x.pgm"},
      {"m.nest", "nestling-profile m.nest --data bars --out p.json"},
      {"x.pgm", "nestling-run m.nest --input x.pgm"},
      {"in.npy", "nestling-run m.nest --input in.npy"},
  };
  const uint64_t seed = 20261126;
  nestling::Random random(seed);
  std::string noise;
  for (int i = 0; i < 20000; ++i) noise += static_cast<char>(random.below(256));
  for (const Reader& reader : readers) {
    const fs::path file = work.folder / reader.file;
    const std::string whole = nestling::read_file(file);
    fs::remove(file);
    expect_refusal(work, reader, "a missing");
    nestling::write_file(file, "");
    expect_refusal(work, reader, "an empty");
    nestling::write_file(file, whole.substr(0, whole.size() / 2));
    expect_refusal(work, reader, "a truncated");
    nestling::write_file(file, noise);
    expect_refusal(work, reader, "a noisy");
    nestling::write_file(file, "{\"schema\": \"nestling/other/1\", \"values\": [1, 2, 3]}\n");
    expect_refusal(work, reader, "a wrong-type");
    fs::remove(file);
    fs::create_directory(file);
    expect_refusal(work, reader, "a folder as");
    fs::remove(file);
    nestling::write_file(file, whole);
  }
}

TEST_CASE("what does not fit together is refused") {
  const Workplace work;
  work.result("nestling-train --arch small --data bars --epochs 0 --width 0.5 --out v.onnx");
  const auto failure = [&](const std::string& command) {
    const Outcome outcome = work.run(command);
    INFO(command << "\n" << outcome.err);
    CHECK(outcome.status == 1);
    return outcome.err;
  };
  const std::string untrained = "nestling-train --arch small --epochs 0 --width 0.5 ";
  work.result(untrained + "--classes 3 --input 1x8x8 --out three.onnx");
  work.result(untrained + "--classes 4 --input 3x8x8 --out colour.onnx");
  CHECK_THAT(failure("nestling-prune three.onnx --data bars --out run"),
             ContainsSubstring("the network has 3 classes, the data set bars has 4"));
  CHECK_THAT(failure("nestling-prune colour.onnx --data bars --out run"),
             ContainsSubstring("takes 3x8x8 images, the data set bars has 1x8x8"));
  CHECK_THAT(failure("nestling-prune v.onnx --data bars --out run --min-accuracy 99"),
             ContainsSubstring("below the minimum of 99.00 %"));
  work.result("nestling-convert three.onnx --out three.nest");
  CHECK_THAT(failure("nestling-run three.nest --data bars"),
             ContainsSubstring("has 3 outputs, the data set bars has 4 classes"));
  work.result("nestling-convert colour.onnx --out colour.nest");
  CHECK_THAT(failure("nestling-run colour.nest --data bars"), ContainsSubstring("3x8x8"));
  CHECK_THAT(failure("nestling-run colour.nest --capacity 2 --bench"),
             ContainsSubstring("capacity"));

  // Threads: 0 is one per core, too many are refused before any is begun.
  CHECK(work.run("nestling-run three.nest --bench --threads 0").status == 0);
  const Outcome threads = work.run("nestling-run three.nest --bench --threads 10000");
  CHECK(threads.status == 2);
  CHECK_THAT(threads.err, ContainsSubstring("--threads"));
  nestling::write_file(work.folder / "bad.ini", "no such flag = 1\n[[[");
  CHECK(work.run("nestling-run three.nest --bench --config bad.ini").status == 2);
  CHECK(work.run("nestling-run three.nest --bench --config none.ini").status == 2);
}
