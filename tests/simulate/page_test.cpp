// The page of a simulation, in a real browser.
#include "simulate/page.h"

#include <algorithm>
#include <cstdlib>

#include "support/catch.h"
#include "support/temporary_folder.h"

#include "base/file.h"
#include "data/decode.h"

using nestling::Played;
using nestling::Workload;

namespace {

// Two applications that meet; the second finds no memory for a while.
Workload workload() {
  Workload result;
  result.duration_s = 100;
  result.device.memory_bytes = 5000;
  for (const char* name : {"camera <front>", "voice"}) {
    nestling::WorkloadApplication application;
    application.goals.name = name;
    application.goals.capacities = {{0.7, 0.01, 1000, 0}, {0.9, 0.02, 3000, 0}};
    application.goals.min_accuracy = 0.8;
    application.goals.max_latency_s = 0.03;
    application.page_in_bytes = {1000, 2000};
    application.energy.resize(2);
    result.applications.push_back(application);
  }
  using Kind = nestling::Event::Kind;
  result.events = {{.at_s = 0, .kind = Kind::start, .application = 0},
                   {.at_s = 20, .kind = Kind::start, .application = 1},
                   {.at_s = 50, .kind = Kind::memory, .memory_bytes = 1500},
                   {.at_s = 70, .kind = Kind::memory, .memory_bytes = 8000}};
  return result;
}

std::string page_of(const Workload& workload) {
  std::vector<Played> played;
  for (const auto& [label, policy] : {std::pair{"total", nestling::runtime::Policy::min_total_cost},
                                      std::pair{"fixed", nestling::runtime::Policy::fixed}}) {
    played.push_back({label, nestling::simulate(workload, {.policy = policy}), {}});
    played.back().front = {played.back().simulation};
  }
  return nestling::simulation_page("a <b> & c", workload, played);
}

// Runs the browser in `folder`, where its profile may lie, and returns what it prints.
std::string browse(const std::filesystem::path& folder, const std::string& flags) {
  const std::string command = "cd '" + folder.string() + "' && HOME='" + folder.string() +
                              "' timeout 120 chromium --headless --no-sandbox --disable-gpu "
                              "--disable-dev-shm-usage --hide-scrollbars --window-size=1000,1200 " +
                              flags + " file://" + (folder / "page.html").string() +
                              " > printed 2> errors";
  INFO(command);
  const int status = std::system(command.c_str());
  INFO(nestling::read_file(folder / "errors"));
  REQUIRE(status == 0);
  return nestling::read_file(folder / "printed");
}

// How much of a picture has nearly this colour.
double share_of(const nestling::Pixels& picture, std::array<int, 3> colour) {
  int64_t count = 0;
  const int64_t all = picture.height * picture.width;
  for (int64_t p = 0; p < all; ++p) {
    bool near = true;
    for (int64_t c = 0; c < 3; ++c) {
      const int value = picture.data[static_cast<size_t>(p * 3 + c)];
      near = near && std::abs(value - colour[static_cast<size_t>(c)]) <= 6;
    }
    count += near;
  }
  return static_cast<double>(count) / static_cast<double>(all);
}

}  // namespace

TEST_CASE("the page of a simulation shows in a browser, light and dark") {
  const TemporaryFolder folder;
  nestling::write_file(folder / "page.html", page_of(workload()));
  const std::string dom = browse(folder.path(), "--dump-dom");
  CHECK_THAT(dom, ContainsSubstring("<h1>a &lt;b&gt; &amp; c</h1>"));
  CHECK_THAT(dom, ContainsSubstring("camera &lt;front&gt;"));
  CHECK_THAT(dom, ContainsSubstring("<td>fixed</td>"));
  CHECK_THAT(dom, ContainsSubstring("capacity 2 of 2, 100.0 % of the processor"));
  CHECK_THAT(dom, ContainsSubstring("voice: no memory"));
  CHECK_THAT(dom, ContainsSubstring("class=\"late\""));
  CHECK_THAT(dom, !ContainsSubstring("http"));  // self-contained

  for (const bool dark : {false, true}) {
    INFO((dark ? "dark" : "light"));
    browse(folder.path(),
           std::string("--screenshot=shot.png --blink-settings=preferredColorScheme=") +
               (dark ? "0" : "1"));
    const nestling::Pixels picture =
        nestling::decode_image(nestling::read_file(folder / "shot.png"), 3, "shot.png");
    CHECK(picture.width == 1000);
    CHECK(share_of(picture, dark ? std::array{0x14, 0x17, 0x1b} : std::array{255, 255, 255}) > 0.6);
    CHECK(share_of(picture, {0x00, 0x72, 0xb2}) > 0.005);   // the first application's
    CHECK(share_of(picture, {0xd0, 0x00, 0x00}) > 0.0005);  // late frames
  }
}
