#ifndef MASTER_CLIBC_SHIM_H
#define MASTER_CLIBC_SHIM_H

/* What the module Glibc of Swift leaves out of the C library. */

#include <malloc.h>

#endif
