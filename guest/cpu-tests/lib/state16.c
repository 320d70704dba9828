/* The real-mode harness keeps its base state in assembly (entry16.S): it writes linear 0, which C cannot reach here. */
#include "harness.h"

void run_image(void);

void run_image(void) {
  base_state();
  run_cases();
}
