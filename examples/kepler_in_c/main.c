/* Kepler's third law from the six planets that he knew, in C. */
#include <balmer/c_api.h>

#include <stdio.h>

static int show_progress(const balmer_progress* now, void* user) {
    (void)user;
    fprintf(stderr, "%d of %d, %zu formulas\n", now->iteration, now->iterations, balmer_search_front_size(now->search));
    return 1; /* go on */
}

int main(void) {
    static const double axis[] = {0.3871, 0.7233, 1.0, 1.5237, 5.2028, 9.5388};            /* astronomical units */
    static const double period[] = {87.9691, 224.701, 365.256, 686.98, 4332.59, 10759.22}; /* days */
    static const char* const names[] = {"a"};
    balmer_table table = {0};
    balmer_error error;
    balmer_dataset* data;
    balmer_options* options;
    balmer_search* search = NULL;
    int failed = 1;

    table.X = axis;
    table.n_rows = 6;
    table.n_features = 1;
    table.target = period;
    table.names = names;
    data = balmer_dataset_create(&table, &error);
    options = balmer_options_create(&error);
    if (data != NULL && options != NULL && balmer_options_set_operators(options, "+ * / ^ sqrt", &error) == BALMER_OK &&
        (search = balmer_search_create(data, NULL, options, &error)) != NULL &&
        balmer_search_run(search, show_progress, NULL, NULL, &error) == BALMER_OK) {
        char text[200];
        balmer_expression* law = balmer_search_front_expression(search, (size_t)balmer_search_best(search), &error);
        if (law != NULL && balmer_expression_text(law, BALMER_TEXT, 4, text, sizeof text, &error) >= 0) {
            printf("P = %s\n", text);
            failed = 0;
        }
        balmer_expression_free(law);
    }
    if (failed) fprintf(stderr, "%s\n", error.message);
    balmer_search_free(search);
    balmer_options_free(options);
    balmer_dataset_free(data);
    return failed;
}
