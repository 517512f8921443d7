#ifndef MASTER_CLIBCURL_DECODING_H
#define MASTER_CLIBCURL_DECODING_H

#include <brotli/decode.h>
#include <idn2.h>
#include <zlib.h>

/* inflateInit2 is a macro, which Swift cannot call. */
static inline int master_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

/* Converts a non-ASCII host name to the form used for lookups and requests; free the result with
   idn2_free. */
static inline int master_idn_lookup(const char *host, char **ascii) {
    return idn2_lookup_u8((const uint8_t *)host, (uint8_t **)ascii,
        IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
}

#endif
