#include "typemap.h"
#include "auto.h"

main(argc, argv)
int argc;
char *argv[];
{
    var_elem_t ve;
    char vn[10];
    int anint;
    int itype = typeINT;

    strcpy(vn, "my_var");
    auto_init(argv[0]);
    ve.v_name = vn;
    ve.v_data = (char *)&anint;
    ve.v_data_len = sizeof(int);
    ve.v_type_list = &itype;
    ve.v_list_len = 1;
    auto_register(&ve);
    if (!auto_read(AUTO_ALL))
        anint = 0;
    for (;;) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR)
            break;
        anint++;
    }
    auto_remove(&ve, NULL);
    auto_done();
}
