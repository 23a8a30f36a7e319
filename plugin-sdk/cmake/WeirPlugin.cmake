# weir_add_plugin(NAME SOURCES ... [LINKS ...] [OUTPUT DIR]): a plugin linked the way that lets it be unloaded.
# The version script exports the entry alone; without it STB_GNU_UNIQUE symbols pin the library for ever.
if(NOT WEIR_PLUGIN_VERSION_SCRIPT)
  set(WEIR_PLUGIN_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/plugin.map)
endif()

function(weir_add_plugin name)
  cmake_parse_arguments(ARG "" "OUTPUT" "SOURCES;LINKS" ${ARGN})
  if(NOT ARG_OUTPUT)
    set(ARG_OUTPUT ${CMAKE_BINARY_DIR}/lib/weir/plugins)
  endif()
  add_library(weir_plugin_${name} MODULE ${ARG_SOURCES})
  set_target_properties(weir_plugin_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${ARG_OUTPUT}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  # What the headers need at least; a project that has chosen a later standard keeps it.
  if(NOT CMAKE_CXX_STANDARD)
    set_target_properties(weir_plugin_${name} PROPERTIES CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
  endif()
  if(NOT CMAKE_C_STANDARD)
    set_target_properties(weir_plugin_${name} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON)
  endif()
  target_compile_options(weir_plugin_${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_libraries(weir_plugin_${name} PRIVATE weir-sdk::headers ${ARG_LINKS})
  target_link_options(weir_plugin_${name} PRIVATE
    -Wl,--version-script=${WEIR_PLUGIN_VERSION_SCRIPT} -Wl,-z,now)
  # Clang leaves a sanitizer's runtime to the executable, so its symbols are undefined here by design.
  if(NOT WEIR_SANITIZE OR CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_link_options(weir_plugin_${name} PRIVATE -Wl,-z,defs)
  endif()
  set_property(TARGET weir_plugin_${name} APPEND PROPERTY LINK_DEPENDS ${WEIR_PLUGIN_VERSION_SCRIPT})
endfunction()
