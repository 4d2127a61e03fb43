# cython: language_level=3
"""A Cython module that uses balmer without Python objects: formulas over columns, with the GIL released.

Compile it with the folder ``balmer.get_include()`` among the include folders; nothing is linked.
"""

from balmer.c_api cimport (
    BALMER_OK,
    balmer_dataset,
    balmer_dataset_free,
    balmer_dataset_view,
    balmer_error,
    balmer_evaluate,
    balmer_expression,
    balmer_expression_free,
    balmer_import,
    balmer_parse,
    balmer_status,
    balmer_table,
)

balmer_import()


cdef class Law:
    """A formula in x0, x1, ..., made once, called often."""

    cdef balmer_expression* expression

    def __cinit__(self, str text):
        cdef balmer_error error
        self.expression = balmer_parse(text.encode(), NULL, 0, NULL, &error)
        if self.expression == NULL:
            raise ValueError(error.message.decode())

    def __dealloc__(self):
        balmer_expression_free(self.expression)

    def __call__(self, const double[::1, :] X, double[::1] values, int n_threads=1):
        """Write the values at the rows of X (columns contiguous, not copied) into ``values``."""
        cdef balmer_table table
        cdef balmer_dataset* data = NULL
        cdef balmer_error error
        cdef balmer_status status = BALMER_OK
        cdef const balmer_expression* one = self.expression
        if X.shape[0] != values.shape[0]:
            raise ValueError(f"X has {X.shape[0]} rows, values {values.shape[0]}")
        table.X = &X[0, 0]
        table.n_rows = X.shape[0]
        table.n_features = X.shape[1]
        table.row_stride = 1
        table.column_stride = X.shape[0]
        table.target = table.weights = NULL
        table.names = NULL
        with nogil:
            data = balmer_dataset_view(&table, &error)
            if data == NULL:
                status = error.status
            else:
                status = balmer_evaluate(&one, 1, data, &values[0], n_threads, &error)
                balmer_dataset_free(data)
        if status != BALMER_OK:
            raise ValueError(error.message.decode())
