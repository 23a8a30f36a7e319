// The `weir` command.
#pragma once

namespace weir::cli {

// Exit codes: 0 done, 1 it failed, 2 wrong usage or wrong manifest.
int main(int argc, char** argv);

}  // namespace weir::cli
