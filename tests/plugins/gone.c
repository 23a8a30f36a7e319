/* A library that the plugin missing-dependency is linked to and that is nowhere to be found when it is
 * loaded. */
void weir_test_gone(void);
void weir_test_gone(void) {}
