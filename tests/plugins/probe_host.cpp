// The child of a probe without the rest of the gateway: PROGRAM host --probe FILE.
#include "plugin/probe.h"

int main(int count, char** arguments) { return count == 4 ? weir::plugin::probe_main(arguments[3]) : 2; }
