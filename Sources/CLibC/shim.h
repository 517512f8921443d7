#ifndef MASTER_CLIBC_SHIM_H
#define MASTER_CLIBC_SHIM_H

/* The parts of the C library that Swift's Glibc module does not export. */

#include <malloc.h>

#endif
