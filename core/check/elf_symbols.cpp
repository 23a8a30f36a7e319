#include "check/elf_symbols.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>

namespace weir::check {
namespace {

using base::Code;

// A record of the file, when it lies inside.
template <class Record>
bool read(const std::string& file, uint64_t offset, Record* record) {
  if (offset > file.size() || file.size() - offset < sizeof(Record)) return false;
  std::memcpy(record, file.data() + offset, sizeof(Record));
  return true;
}

void read_dynamic(const std::string& file, const Elf64_Phdr& segment, ElfSymbols& out) {
  Elf64_Dyn entry;
  for (uint64_t at = 0; at + sizeof entry <= segment.p_filesz; at += sizeof entry) {
    if (!read(file, segment.p_offset + at, &entry) || entry.d_tag == DT_NULL) return;
    const uint64_t value = entry.d_un.d_val;
    out.no_delete = out.no_delete || (entry.d_tag == DT_FLAGS_1 && (value & DF_1_NODELETE) != 0);
    out.binds_now = out.binds_now || entry.d_tag == DT_BIND_NOW || (entry.d_tag == DT_FLAGS && (value & DF_BIND_NOW) != 0) ||
                    (entry.d_tag == DT_FLAGS_1 && (value & DF_1_NOW) != 0);
    out.text_relocations = out.text_relocations || entry.d_tag == DT_TEXTREL ||
                           (entry.d_tag == DT_FLAGS && (value & DF_TEXTREL) != 0);
  }
}

void read_table(const std::string& file, const Elf64_Shdr& table, const Elf64_Shdr& strings, ElfSymbols& out) {
  Elf64_Sym symbol;
  // The first symbol is the undefined one (ELF gABI, "Symbol Table").
  for (uint64_t at = sizeof symbol; at + sizeof symbol <= table.sh_size; at += sizeof symbol) {
    if (!read(file, table.sh_offset + at, &symbol)) return;
    const unsigned binding = ELF64_ST_BIND(symbol.st_info), visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    const bool defined = symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS;
    if (!defined || binding == STB_LOCAL || visibility == STV_HIDDEN || visibility == STV_INTERNAL) continue;
    const uint64_t name = strings.sh_offset + symbol.st_name;
    if (name >= file.size()) continue;
    const std::string text(file.data() + name, strnlen(file.data() + name, file.size() - name));
    out.exported.push_back(text);
    if (binding == STB_GNU_UNIQUE) out.unique.push_back(text);
  }
}

}  // namespace

base::Result<ElfSymbols> read_symbols(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string file((std::istreambuf_iterator<char>(stream)), {});
  Elf64_Ehdr header;
  if (!read(file, 0, &header)) return base::error(Code::kInvalid, "cannot be read", path);
  ElfSymbols out;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!read(file, header.e_phoff + i * sizeof segment, &segment)) break;
    if (segment.p_type == PT_DYNAMIC) read_dynamic(file, segment, out);
    if (segment.p_type == PT_GNU_STACK) out.executable_stack = (segment.p_flags & PF_X) != 0;
  }
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section, strings;
    if (!read(file, header.e_shoff + i * sizeof section, &section)) break;
    if (section.sh_type != SHT_DYNSYM) continue;
    if (read(file, header.e_shoff + section.sh_link * sizeof strings, &strings)) read_table(file, section, strings, out);
  }
  return out;
}

}  // namespace weir::check
