/* Texts with {expressions}. Names come from hostile files: into a text they go neutralised, into a
 * command only when they consist of letters, digits and `_.-`. */
#include "base/buf.h"
#include "vm/vm.h"

/* As a missing fact's parameter and as part of a command: addresses in full, names as they are. */
void dfr_vm_print_part(struct dfr_buf *b, const struct dfr_value *v)
{
    if (v->kind == DFR_KIND_ADDR)
        dfr_buf_printf(b, "0x%llx", (unsigned long long)v->as.u);
    else
        dfr_value_print(b, v);
}

static bool command_safe(struct dfr_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '_' || c == '.' || c == '-'))
            return false;
    }
    return s.len != 0 && s.p[0] != '-' && s.p[0] != '.';
}

/* Into a command. The debugger reads numbers as hexadecimal, so those above 9 say so. */
static bool command_part(struct dfr_buf *b, const struct dfr_value *v)
{
    struct dfr_str name;
    switch ((enum dfr_kind)v->kind) {
    case DFR_KIND_ADDR:
        dfr_buf_printf(b, "0x%llx", (unsigned long long)v->as.u);
        return true;
    case DFR_KIND_INT:
        if (v->as.n.lo != v->as.n.hi || v->as.n.lo < 0)
            return false;
        dfr_buf_printf(b, v->as.n.lo > 9 ? "0x%llx" : "%llu", (unsigned long long)v->as.n.lo);
        return true;
    case DFR_KIND_STR:
        name = dfr_value_str(v);
        break;
    case DFR_KIND_MODULE:
        name = (struct dfr_str){v->as.module.p, v->as.module.len};
        break;
    default:
        return false;
    }
    if (!command_safe(name))
        return false;
    dfr_buf_str(b, name);
    return true;
}

struct dfr_rendered dfr_vm_render(struct dfr_vm *vm, uint32_t template, const struct dfr_tv *args,
                                  enum dfr_render how)
{
    const struct dfr_ptemplate *t = &vm->p->templates.v[template];
    struct dfr_rendered r = {0};
    struct dfr_buf b;
    dfr_buf_init(&b, vm->a);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct dfr_ppiece *piece = &vm->p->pieces.v[t->first + i];
        struct dfr_str literal = dfr_program_text(vm->p, piece->literal);
        if (piece->chunk == DFR_NONE) {
            dfr_buf_str(&b, literal);
            continue;
        }
        dfr_vm_run(vm, piece->chunk, args, vm->stack);
        struct dfr_tv v = vm->stack[0];
        bool known = v.v.state == DFR_KNOWN;
        if (known && how == DFR_RENDER_COMMAND)
            known = command_part(&b, &v.v);
        else if (known)
            dfr_value_print(&b, &v.v);
        if (known)
            continue;
        r.unknown = true;
        r.missing = dfr_vm_union(vm, r.missing, v.missing);
        if (v.v.state != DFR_KNOWN)
            r.reason = dfr_reason_join(r.reason, v.v.reason);
        if (how == DFR_RENDER_TEXT) {
            dfr_buf_z(&b, "(not known)");
        } else {
            dfr_buf_char(&b, '<');
            dfr_buf_str(&b, literal);
            dfr_buf_char(&b, '>');
        }
    }
    r.text = dfr_buf_text(&b);
    return r;
}
