#include "train/team.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "base/error.h"
#include "train/torch.h"

namespace nestling {
namespace {

Team* the_team = nullptr;

// A helper may wait for its next job as long as process 0 ranks or measures; one that is gone is
// noticed by its closed connection.
constexpr std::chrono::hours kPatience{24 * 7};
constexpr std::chrono::minutes kMeeting{5};
constexpr size_t kMostBytes = size_t{1} << 28;  // in one message

std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace

struct Team::Group {
  Place place;
  c10::intrusive_ptr<c10d::TCPStore> store;
  std::unique_ptr<c10d::ProcessGroupGloo> processes;

  void wait(const std::function<c10::intrusive_ptr<c10d::Work>()>& begin) const {
    try {
      begin()->wait();
    } catch (const std::exception& error) {
      fail("{} of the {} processes of this training is gone ({})",
           place.rank == 0 ? "one" : "the first", place.size, first_line(error));
    }
  }

  void sum(at::Tensor values) const {
    std::vector<at::Tensor> all{std::move(values)};
    wait([&] { return processes->allreduce(all); });
  }
};

Team::Team(const Place& place) : group_(std::make_unique<Group>()) {
  group_->place = place;
  try {
    c10d::TCPStoreOptions meeting;
    meeting.port = static_cast<uint16_t>(place.port);
    meeting.isServer = place.rank == 0;
    meeting.numWorkers = static_cast<size_t>(place.size);
    meeting.timeout = kMeeting;
    group_->store = c10::make_intrusive<c10d::TCPStore>(place.address, meeting);
    const auto options = c10d::ProcessGroupGloo::Options::create(kMeeting);
    const bool here = place.address == "127.0.0.1" || place.address == "localhost";
    options->devices.push_back(here ? c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                                    : c10d::ProcessGroupGloo::createDefaultDevice());
    options->timeout = kPatience;
    group_->processes =
        std::make_unique<c10d::ProcessGroupGloo>(group_->store, place.rank, place.size, options);
  } catch (const std::exception& error) {
    fail("the {} processes of this training do not meet at {}:{} ({})", place.size, place.address,
         place.port, first_line(error));
  }
  the_team = this;
}

Team::~Team() { the_team = nullptr; }

Team* Team::current() { return the_team; }

int Team::rank() const { return group_->place.rank; }
int Team::size() const { return group_->place.size; }

void Team::sum(std::span<float> values) {
  group_->sum(at::from_blob(values.data(), {std::ssize(values)}));
}

void Team::sum(std::span<double> values) {
  group_->sum(at::from_blob(values.data(), {std::ssize(values)}, at::kDouble));
}

void Team::share(std::span<char> bytes) {
  for (size_t from = 0; from < bytes.size(); from += kMostBytes) {
    const auto part = bytes.subspan(from, std::min(kMostBytes, bytes.size() - from));
    std::vector<at::Tensor> all{at::from_blob(part.data(), {std::ssize(part)}, at::kChar)};
    group_->wait([&] { return group_->processes->broadcast(all); });
  }
}

void Team::share(std::string& bytes) {
  uint64_t size = bytes.size();
  share(std::span(reinterpret_cast<char*>(&size), sizeof size));
  bytes.resize(size);
  share(std::span<char>(bytes));
}

}  // namespace nestling
