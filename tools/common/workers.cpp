#include "common/workers.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <netinet/in.h>
#include <optional>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "train/device.h"
#include "train/train.h"

namespace nestling {
namespace {

int number_of(const char* name, int least, int most) {
  const char* text = std::getenv(name);
  if (text == nullptr) fail("WORLD_SIZE is set, as torchrun does, but {} is not", name);
  const std::string_view digits = text;
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < least ||
      number > most) {
    fail("{} is {}, not a number from {} to {}", name, text, least, most);
  }
  return number;
}

// Where torchrun, or the process that started this one, has put it.
std::optional<Place> place_from_environment() {
  if (std::getenv("WORLD_SIZE") == nullptr) return std::nullopt;
  Place place;
  place.size = number_of("WORLD_SIZE", 1, 4096);
  place.rank = number_of("RANK", 0, place.size - 1);
  place.port = number_of("MASTER_PORT", 1, 65535);
  const char* address = std::getenv("MASTER_ADDR");
  if (address == nullptr) fail("WORLD_SIZE is set, as torchrun does, but MASTER_ADDR is not");
  place.address = address;
  return place;
}

// That nobody listens at now.
int free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  const bool found = ::bind(listener, any, size) == 0 && ::getsockname(listener, any, &size) == 0;
  ::close(listener);
  if (!found) fail("this machine has no free port for the workers to meet at");
  return ntohs(address.sin_port);
}

// This program again, with the same arguments, as process `place.rank`.
pid_t start_again(char** argv, const Place& place) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) fail("no further process can be started");
  if (child > 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kFailed);  // it died before that
  ::setenv("RANK", std::to_string(place.rank).c_str(), 1);
  ::setenv("WORLD_SIZE", std::to_string(place.size).c_str(), 1);
  ::setenv("LOCAL_RANK", std::to_string(place.rank).c_str(), 1);
  ::setenv("LOCAL_WORLD_SIZE", std::to_string(place.size).c_str(), 1);
  ::setenv("MASTER_ADDR", place.address.c_str(), 1);
  ::setenv("MASTER_PORT", std::to_string(place.port).c_str(), 1);
  ::execv("/proc/self/exe", argv);
  ::_exit(kFailed);
}

// Of this process, if `here` processes of this training share the machine.
int part_of_threads(int threads, int here) {
  if (threads > 0 || here < 2) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / here);
}

}  // namespace

Crew::~Crew() {
  if (team_ == nullptr) return;
  bool ended = std::uncaught_exceptions() == 0;
  if (ended) {
    try {
      dismiss_helpers();
    } catch (const Error&) {
      ended = false;  // one is gone after its last training: nothing is lost
    }
  }
  for (const pid_t child : started_) {
    if (!ended) ::kill(child, SIGKILL);
  }
  team_.reset();
  for (const pid_t child : started_) ::waitpid(child, nullptr, 0);
}

void Workers::add_to(CLI::App& app) {
  app.add_option("--workers", count_,
                 "Processes of this machine that share each batch, and its cores; on several "
                 "machines, start this program by torchrun instead")
      ->check(CLI::Range(1, 256));
  app.add_option("--device", device_,
                 "Where networks are trained: cpu, cuda:N, or cuda, a GPU for each process; CUDA "
                 "needs a LibTorch that was built with it")
      ->capture_default_str();
}

std::unique_ptr<Crew> Workers::gather(char** argv, int threads, void (*serve)()) const {
  std::optional<Place> place = place_from_environment();
  std::vector<pid_t> started;
  int here = count_, number = 0;  // of this machine's processes
  if (place) {
    if (std::getenv("LOCAL_WORLD_SIZE") != nullptr) {
      here = number_of("LOCAL_WORLD_SIZE", 1, place->size);
    }
    if (std::getenv("LOCAL_RANK") != nullptr) number = number_of("LOCAL_RANK", 0, place->size - 1);
  }
  use_device(device_, number);
  if (!place && count_ > 1) {
    place = Place{.size = count_, .port = free_port()};
    for (int rank = 1; rank < count_; ++rank) {
      Place other = *place;
      other.rank = rank;
      started.push_back(start_again(argv, other));
    }
  }
  prepare_training(part_of_threads(threads, here));
  if (!place || place->size == 1) return std::make_unique<Crew>(nullptr, std::vector<pid_t>{});
  if (place->rank == 0) {
    return std::make_unique<Crew>(std::make_unique<Team>(*place), std::move(started));
  }
  // Process 0 decides when to stop.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_DFL);
  const Team team(*place);
  serve();
  return nullptr;
}

}  // namespace nestling
