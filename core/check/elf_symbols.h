// What a plugin's file shows to the dynamic linker, read without loading it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace weir::check {

struct ElfSymbols {
  std::vector<std::string> exported;  // defined names that others can see
  std::vector<std::string> unique;    // of these, those with the binding STB_GNU_UNIQUE
  bool no_delete = false;             // DF_1_NODELETE
  bool binds_now = false;             // DF_BIND_NOW or DF_1_NOW
  bool text_relocations = false;      // DT_TEXTREL or DF_TEXTREL
  bool executable_stack = false;      // PT_GNU_STACK with PF_X
};

// `path` must be an ELF file of this machine, as plugin::read_note has found.
base::Result<ElfSymbols> read_symbols(const std::string& path);

}  // namespace weir::check
