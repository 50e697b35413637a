// Tests that run on every instruction set that this processor has, not only the best.
#pragma once

#include <hwy/targets.h>
#include <set>
#include <string>

#include "runtime/kernels.h"
#include "support/catch.h"

namespace test {

// Calls test() once for each, while the kernels use it.
template <typename Test>
void for_each_instruction_set(const Test& test) {
  struct Chosen {  // until the end of the scope
    explicit Chosen(int64_t target) { hwy::GetChosenTarget().Update(target); }
    ~Chosen() { hwy::GetChosenTarget().DeInit(); }
  };
  std::set<std::string> names;
  for (int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
    const Chosen chosen(rest & -rest);
    const std::string name = nestling::runtime::simd_name();
    if (!names.insert(name).second) continue;  // none of its own was compiled
    INFO(name);
    test();
  }
  std::string list;
  for (const std::string& name : names) list += name + " ";
  WARN("ran on " << list);
  CHECK(names.size() >= (HWY_ARCH_X86 ? 3 : 1));
}

}  // namespace test
