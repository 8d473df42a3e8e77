// Proves libdeflate-unterminated.patch: chunks compressed open and put one after the other are one deflate stream to zlib, and a
// plain compressor still closes its output. Exits 0, or says what is wrong and exits 1.
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void require(int condition, const char *what, int level, size_t size) {
    if (condition) return;
    fprintf(stderr, "libdeflate-check: %s (level %d, chunks of %zu bytes)\n", what, level, size);
    exit(1);
}

/// Half text-like, half random, so that all kinds of blocks occur.
static unsigned char *made_input(size_t size) {
    unsigned char *input = malloc(size + 1);
    unsigned state = 1;
    for (size_t index = 0; index < size; index++) {
        state = state * 1664525 + 1013904223;
        input[index] = (index / 70000) % 2 ? state >> 24 : "etaoin shrdlu\n"[(state >> 24) % 14];
    }
    return input;
}

static void check(int level, size_t chunk_size) {
    enum { chunks = 3 };
    size_t size = chunks * chunk_size;
    unsigned char *input = made_input(size);
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LIBDEFLATE_UNTERMINATED + level);
    require(compressor != NULL, "no such compressor", level, chunk_size);
    size_t bound = libdeflate_deflate_compress_bound(compressor, chunk_size);
    unsigned char *joined = malloc(chunks * bound + 2);
    size_t length = 0;
    for (int chunk = 0; chunk < chunks; chunk++) {
        size_t written = libdeflate_deflate_compress(
            compressor, input + chunk * chunk_size, chunk_size, joined + length, bound);
        require(written >= 5, "the bound is too small", level, chunk_size);
        length += written;
        require(memcmp(joined + length - 4, "\0\0\377\377", 4) == 0, "no empty stored block ends a chunk", level, chunk_size);
    }
    libdeflate_free_compressor(compressor);

    unsigned char *output = malloc(size + 1);
    z_stream stream = {.next_in = joined, .avail_in = length, .next_out = output, .avail_out = size + 1};
    require(inflateInit2(&stream, -15) == Z_OK, "zlib does not start", level, chunk_size);
    int status = inflate(&stream, Z_SYNC_FLUSH);
    require(status == Z_OK || status == Z_BUF_ERROR, "the chunks are not open", level, chunk_size);
    require(stream.total_out == size && memcmp(output, input, size) == 0, "other bytes came back", level, chunk_size);
    stream.next_in = (unsigned char *)"\3\0";
    stream.avail_in = 2;
    require(inflate(&stream, Z_FINISH) == Z_STREAM_END, "the final block does not end the stream", level, chunk_size);
    require(stream.total_out == size, "the final block is not empty", level, chunk_size);
    inflateEnd(&stream);
    free(output);
    free(joined);
    free(input);
}

static void check_plain(int level, size_t size) {
    unsigned char *input = made_input(size);
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    size_t bound = libdeflate_deflate_compress_bound(compressor, size);
    unsigned char *compressed = malloc(bound), *output = malloc(size + 1);
    size_t length = libdeflate_deflate_compress(compressor, input, size, compressed, bound);
    z_stream stream = {.next_in = compressed, .avail_in = length, .next_out = output, .avail_out = size + 1};
    require(inflateInit2(&stream, -15) == Z_OK, "zlib does not start", level, size);
    require(inflate(&stream, Z_FINISH) == Z_STREAM_END, "plain output is open", level, size);
    require(stream.total_out == size && memcmp(output, input, size) == 0, "other bytes came back", level, size);
    inflateEnd(&stream);
    libdeflate_free_compressor(compressor);
    free(output);
    free(compressed);
    free(input);
}

int main(void) {
    static const size_t sizes[] = {0, 1, 7, 50, 1000, 65535, 65536, 70001, 300000};
    for (int level = 0; level <= 12; level++)
        for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; index++) {
            check(level, sizes[index]);
            check_plain(level, sizes[index]);
        }
    for (size_t size = 2; size < 700; size++) check(6, size);  // every bit position at which a chunk can end
    require(libdeflate_alloc_compressor(13) == NULL, "it exists", 13, 0);
    require(libdeflate_alloc_compressor(99) == NULL, "it exists", 99, 0);
    require(libdeflate_alloc_compressor(113) == NULL, "it exists", 113, 0);
    return 0;
}
