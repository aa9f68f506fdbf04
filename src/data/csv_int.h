/* csv_int.h -- inside of data: the csv format's two halves, behind data_decoder and data_encoder. */
#ifndef DATA_CSV_INT_H
#define DATA_CSV_INT_H

#include "data/data.h"

struct csv_decoder;
struct csv_decoder *csv_decoder_new(const struct data_type *row, const bool *wanted, const struct data_format *format);
void csv_decoder_free(struct csv_decoder *d); /* NULL is legal */
MR_MUST_CHECK enum mr_status csv_decode(struct csv_decoder *d, struct data_batch *batch, struct mr_bytes value,
                                        bool *skip, struct mr_err *err);
/* Appends row ROW of BATCH as a line without its end. */
void csv_encode(struct mr_writer *out, const struct data_format *format, const struct data_batch *batch, uint32_t row);

#endif
