// Saving what can be read of a damaged segment.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "journal/segment_set.h"
#include "journal/state_file.h"

namespace weir::journal {

struct Repair {
  std::string kept_as;             // where the damaged file is now
  uint64_t saved_events = 0;
  std::vector<LostRange> lost;     // sequences of the segment that could not be read
  std::optional<SegmentFacts> facts;  // of the segment that takes its place; nothing when nothing could be saved
};

// Sets NNNNNNNN.db aside in DIRECTORY/damaged and puts a new file in its place with every row that still verifies, up
// to sequence `head`. `expected` is what the journal knows of the segment. Nobody may be writing the segment.
base::Result<Repair> repair_segment(base::FileSystem& files, const std::string& directory, uint32_t number,
                                    const SegmentFacts& expected, uint64_t head, const std::string& reason);

}  // namespace weir::journal
