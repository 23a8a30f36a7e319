// Saving what can be read of a damaged segment.
//
// The saved rows are written to NNNNNNNN.db.tmp, which becomes NNNNNNNN.db.new when it is complete and on the disk.
// From then on the repair is decided: the old file goes to damaged/, the new one takes its name, and a power cut at any
// moment leaves a state from which finish_repair() goes on.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "journal/segment_set.h"
#include "journal/state_file.h"

namespace weir::journal {

struct Repair {
  bool sound = false;              // every row can be read: nothing was changed, and nothing is to be done
  uint64_t saved_events = 0;
  std::vector<LostRange> lost;     // sequences of the segment that could not be read
  std::optional<SegmentFacts> facts;  // of the segment that takes its place; nothing when nothing could be saved
};

// Reads all it can of NNNNNNNN.db, up to sequence `head`, and writes it to NNNNNNNN.db.new. `expected` is what the
// journal knows of the segment, all zero when it knows nothing. Nobody may be writing the segment. Nothing is given up
// yet: make `lost` durable, then call finish_repair().
base::Result<Repair> prepare_repair(base::FileSystem& files, const std::string& directory, uint32_t number,
                                    const SegmentFacts& expected, uint64_t head, const std::string& reason);

// Moves the damaged file to DIRECTORY/damaged, with `report` beside it, and puts NNNNNNNN.db.new, if there is one, in
// its place. Says where the damaged file is now. May be called again after it was cut short.
base::Result<std::string> finish_repair(base::FileSystem& files, const std::string& directory, uint32_t number,
                                        const std::string& report);

// The report for finish_repair().
std::string report_of(const Repair& repair, uint32_t number, const std::string& reason);

}  // namespace weir::journal
