#!/usr/bin/perl
# Writes what follows from the table of MPI functions (functions.tab, which describes its format).
#   gen.pl code   functions.tab    wrappers of all classes that are not written by hand
#   gen.pl header functions.tab    enum hmf__fn: one number for each function
#   gen.pl inner  functions.tab    other names for the wrappers, under which all but outer.c know them
#   gen.pl outer  functions.tab    the functions that the program calls: threads pass a gate (gate.h)
#   gen.pl names  functions.tab    one name a line
#   gen.pl chain  functions.tab    PMPI functions for tools that are loaded before the program (chain.h)
#   gen.pl doc    functions.tab    the table of the manual
use strict;
use warnings;

my ($what, $path) = @ARGV;
die "usage: gen.pl code|header|inner|outer|names|chain|doc functions.tab\n" if !defined $path;

my @functions;
open(my $tab, '<', $path) or die "$path: $!\n";
while (<$tab>) {
    chomp;
    next if /^\s*(#|$)/;
    my ($class, $outs, $proto) = map { s/^\s+|\s+$//gr } split /\|/, $_, 3;
    die "$path:$.: not class | outputs | prototype\n" if !defined $proto;
    $proto =~ /^(.*?[\s\*])MPI_(\w+)\((.*)\)$/ or die "$path:$.: bad prototype\n";
    my ($ret, $name, $args) = ($1, $2, $3);
    my (@names, @types);
    for my $arg ($args eq 'void' ? () : split /,\s*/, $args) {
        $arg =~ /^(.*?)(\w+)((?:\[\d*\])*)$/ or die "$path:$.: bad argument '$arg'\n";
        my ($type, $id, $dims) = ($1, $2, $3);
        $type =~ s/\s+$//;
        push @names, $id;
        push @types, $dims eq '' ? $type : $dims eq '[]' ? "$type*" : "$type(*)[3]";
    }
    my %type;
    @type{@names} = @types;
    push @functions, {
        class => $class, outs => $outs, ret => $ret, name => $name, args => $args,
        names => \@names, type => \%type,
    };
}
close $tab;
die "$path: no functions\n" if !@functions;

# A function that MPI 3.0 removed and that is written by hand stands under this condition there.
my $from = "made by src/shim/gen.pl from src/shim/functions.tab";

# The argument of this type, by name; undef if there is none.
sub arg_of
{
    my ($f, $type) = @_;
    for (@{$f->{names}}) {
        return $_ if $f->{type}{$_} eq $type;
    }
    return undef;
}

# The arguments of the PMPI call, some of them replaced.
sub call
{
    my ($f, %with) = @_;
    return "PMPI_$f->{name}(" . join(', ', map { $with{$_} // $_ } @{$f->{names}}) . ')';
}

# Fills lines up to the width of the house.
sub fold
{
    my ($text) = @_;
    my $out = '';
    for my $line (split m{\n}, $text, -1) {
        while (length($line) > 99) {
            my $at = rindex($line, ' ', 99);
            my ($indent) = $line =~ /^(\s*)/;
            last if $at <= length($indent);
            $out .= substr($line, 0, $at) . "\n";
            $line = "$indent    " . substr($line, $at + 1);
        }
        $out .= "$line\n";
    }
    chop $out;
    return $out;
}

sub define
{
    my ($f, $body) = @_;
    return "$f->{ret}MPI_$f->{name}($f->{args})\n{\n$body}\n\n" =~ s/\* MPI_/*MPI_/r;
}

# Statements that hand the outputs to the log; `$c` is the expression of the call.
sub visits
{
    my ($f, $c) = @_;
    my $text = '';
    for my $spec (split /\s*;\s*/, $f->{outs}) {
        my $where = $spec =~ s/^(root|notroot|notfirst|fromroot):// ? $1 : '';
        $spec =~ /^(\w+)(?:\((.*)\))?$/ or die "$f->{name}: bad output '$spec'\n";
        my ($kind, $list) = ($1, $2);
        my $if = { '' => '', root => "if (hmf__out_is_root($c, root))\n    ",
                   notroot => "if (!hmf__out_is_root($c, root))\n    ",
                   notfirst => "if (hmf__out_rank($c) > 0)\n    ",
                   fromroot => "if (root >= 0)\n    " }->{$where};
        my $do = $kind eq 'void' ? "hmf__out_void($c);"
               : $kind eq 'val' ? "hmf__out_val($c, $list, sizeof *$list);"
               : $kind eq 'stat' ? "hmf__out_status($c, $list);"
               : "hmf__out_$kind($c, " . ($list =~ s/,/, /gr) . ");";
        $text .= "$if$do\n";
    }
    return $text;
}

sub indent { my ($n, $text) = @_; return $text =~ s/^(?=.)/' ' x $n/mger; }

# Numbers that a replayed call must have in common with the logged one.
sub keys_of
{
    my ($f) = @_;
    my $peer = (grep { exists $f->{type}{$_} } qw(root dest source))[0] // '0';
    my $tag = exists $f->{type}{tag} ? 'tag' : '0';
    return "$peer, $tag";
}

sub gen_pass
{
    my ($f) = @_;
    return define($f, "    return " . call($f) . ";\n");
}

sub gen_query
{
    my ($f) = @_;
    return define($f, <<"END");
    MPI_Comm real_ = hmf__comm_real(comm);

    if (hmf__unlikely(hmf__shim_phase != HMF__PHASE_NORMAL && real_ == MPI_COMM_NULL))
        return hmf__shim_no_comm(HMF__FN_$f->{name}, comm);
    return @{[call($f, comm => 'real_')]};
END
}

# The part of a blocking call that is not in a hurry: recorded, replayed, or refused.
sub slow
{
    my ($f, $enter, $live, $before, $after) = @_;
    return "static __attribute__((noinline, cold)) int slow_$f->{name}($f->{args})\n{\n"
        . "    struct hmf__startup_call c_;\n$before\n"
        . "    if (!$enter)\n        return c_.rc;\n"
        . "    if (c_.live)\n$live"
        . indent(4, visits($f, '&c_'))
        . "$after    return hmf__startup_return(&c_);\n}\n\n";
}

sub gen_coll
{
    my ($f) = @_;
    my $keys = keys_of($f);
    my $real = 'HMF__TIMED(' . call($f, comm => 'hmf__coll_real(comm)') . ')';
    return slow($f, "hmf__startup_enter(&c_, HMF__FN_$f->{name}, comm, $keys)",
                "        c_.rc = $real;\n", '', '')
        . define($f, <<"END");
    if (hmf__likely(hmf__shim_phase == HMF__PHASE_NORMAL))
        return $real;
    return slow_$f->{name}(@{[join ', ', @{$f->{names}}]});
END
}

sub gen_send
{
    my ($f) = @_;
    my $keys = keys_of($f);
    my $real = 'HMF__TIMED(' . call($f, comm => 'hmf__comm_real(comm)') . ')';
    return slow($f, "hmf__startup_enter(&c_, HMF__FN_$f->{name}, comm, $keys)",
                "        c_.rc = hmf__sent($real, dest, comm);\n", '', '')
        . define($f, <<"END");
    if (hmf__likely(hmf__shim_phase == HMF__PHASE_NORMAL))
        return hmf__sent($real, dest, comm);
    return slow_$f->{name}(@{[join ', ', @{$f->{names}}]});
END
}

# Isend and Send_init in all modes.
sub gen_isend
{
    my ($f, $persistent) = @_;
    my $real = call($f, comm => 'v_->real', request => '&q_->real');
    my $begin = $persistent
        ? "hmf__vreq_begin_init(HMF__VREQ_SEND, HMF__FN_$f->{name}, comm, request, &q_, &rc_)"
        : "hmf__vreq_begin(HMF__VREQ_SEND, HMF__FN_$f->{name}, comm, request, &q_, &rc_)";
    my $end = $persistent ? "hmf__vreq_end_init(q_, rc_, request)"
                          : "hmf__vreq_end_send(q_, rc_, request)";
    return define($f, <<"END");
    struct hmf__vcomm *v_ = hmf__vcomm_of(comm);
    struct hmf__vreq *q_;
    int rc_;

    if (v_ == NULL)
        return @{[call($f)]};
    if (!$begin)
        return rc_;
    q_->buf = (void *) (uintptr_t) buf;
    q_->count = count;
    q_->datatype = datatype;
    q_->peer = dest;
    q_->tag = tag;
    if (hmf__likely(!(q_->flags & HMF__VREQ_REPLAY)))
        rc_ = $real;
    return $end;
END
}

# Nonblocking calls whose outputs are known at completion: their arguments are kept in the start-up
# phase only.
sub gen_later
{
    my ($f) = @_;
    my ($kind, $v, $enter, $real, $pass);
    my $name = $f->{name};
    if ($f->{class} eq 'icoll') {
        ($kind, $v) = ('COLL', 'hmf__vcomm_of(comm)');
        $real = call($f, comm => 'v_->real', request => '&q_->real');
        $pass = "    if (v_ == NULL)\n        return " . call($f) . ";\n";
        $enter = "hmf__vreq_begin(HMF__VREQ_COLL, HMF__FN_$name, comm, request, &q_, &rc_)";
    } else {
        ($kind, $v) = ($f->{class} eq 'ifile' ? 'IO' : 'RMA', 'NULL');
        $real = call($f, request => '&q_->real', $f->{class} eq 'ifile'
                     ? (fh => 'hmf__file_real(fh)') : (win => 'hmf__win_access(win)'));
        $pass = '';
        $enter = "hmf__vreq_begin_other(HMF__VREQ_$kind, HMF__FN_$name, request, &q_, &rc_)";
    }
    my $outs = visits($f, 'c_');
    my @used = grep { $outs =~ /\b\Q$_\E\b/ } @{$f->{names}};
    my $text = '';
    my $keep = '';
    if (@used) {
        my @fields = map { my $t = $f->{type}{$_}; $t = "$t " if $t !~ /\*$/; "    $t$_;\n" } @used;
        my @locals = map { my $t = $f->{type}{$_}; $t = "$t " if $t !~ /\*$/;
                           "    $t$_ = a_->$_;\n" } @used;
        $text .= "struct out_$name {\n    struct hmf__startup_out head;\n@{[join '', @fields]}};\n\n";
        $text .= "static void visit_$name(struct hmf__startup_call *c_, const void *args_)\n{\n"
            . "    const struct out_$name *a_ = args_;\n" . join('', @locals) . "\n"
            . indent(4, $outs) . "}\n\n";
        my ($held) = grep { $f->{type}{$_} eq 'MPI_Datatype' } @used;
        my $hold = !$held ? "NULL" : $f->{outs} =~ m{^root:} ? "root == v_->rank ? &a_->$held : NULL"
                 : "&a_->$held";
        my $set = join '', map { "            a_->$_ = $_;\n" } @used;
        $keep = <<"END";
    if (hmf__unlikely(hmf__shim_phase != HMF__PHASE_NORMAL)) {
        struct out_$name *a_ = hmf__out_new(q_, sizeof *a_, visit_$name);

        if (a_ != NULL) {
$set            hmf__out_hold(&a_->head, $hold);
        }
    }
END
    }
    my $live = $kind eq "COLL" ? " {\n        hmf__vcomm_bump(&v_->collectives);\n        rc_ = $real;\n    }\n"
        : "\n        rc_ = $real;\n";
    my $define = $kind eq 'COLL' ? "    struct hmf__vcomm *v_ = $v;\n" : '';
    return $text . define($f, <<"END");
$define    struct hmf__vreq *q_;
    int rc_;

$pass    if (!$enter)
        return rc_;
$keep    if (hmf__likely(!(q_->flags & HMF__VREQ_REPLAY)))$live    return hmf__vreq_end(q_, rc_, request);
END
}

sub gen_file
{
    my ($f) = @_;
    my $status = arg_of($f, 'MPI_Status*') // arg_of($f, 'MPI_Status *');
    my %with = (fh => 'hmf__file_real(fh)', $status ? ($status => 's_') : ());
    my @set = grep { $_ } ($f->{name} =~ /_begin$/ ? 'HMF__FILE_SPLIT' : '',
                           $f->{name} =~ /shared|ordered/ ? 'HMF__FILE_SHARED' : '');
    my $clear = $f->{name} =~ /_end$/ ? 'HMF__FILE_SPLIT' : '0';
    my $mark = @set || $clear ne '0'
        ? "    hmf__file_mark(fh, @{[join(' | ', @set) || 0]}, $clear);\n" : '';
    my $text = slow({%$f, outs => $f->{outs} =~ s/\bstat\(status\)/stat(s_)/r},
        "hmf__startup_enter_any(&c_, HMF__FN_$f->{name})",
        "        c_.rc = " . call($f, %with) . ";\n",
        ($status ? "    MPI_Status own_, *s_ = $status == MPI_STATUS_IGNORE ? &own_ : $status;\n" : '') . "\n$mark",
        '');
    return $text . define($f, <<"END");
$mark    if (hmf__likely(hmf__shim_phase == HMF__PHASE_NORMAL))
        return @{[call($f, fh => 'hmf__file_real(fh)')]};
    return slow_$f->{name}(@{[join ', ', @{$f->{names}}]});
END
}

sub gen_rma
{
    my ($f) = @_;
    my $real = exists $f->{type}{origin_addr} ? 'hmf__win_access(win)' : 'hmf__win_real(win)';
    return define($f, <<"END");
    if (hmf__unlikely(hmf__shim_phase != HMF__PHASE_NORMAL) && !hmf__shim_window(HMF__FN_$f->{name}))
        return MPI_ERR_WIN;
    return @{[call($f, win => $real)]};
END
}

# A local question or setting.
sub gen_local
{
    my ($f, $handle, $kind) = @_;
    my $null = 'MPI_' . uc($kind) . '_NULL';
    my $no = $kind eq 'win' ? 'hmf__shim_no_window' : 'hmf__shim_no_file';
    my $void = $f->{outs} =~ /void/ ? "    if (hmf__unlikely(hmf__shim_phase != HMF__PHASE_NORMAL))\n"
        . "        hmf__startup_void(HMF__FN_$f->{name});\n" : '';
    my $type = $kind eq 'win' ? 'MPI_Win' : 'MPI_File';
    return define($f, <<"END");
    $type real_ = hmf__${kind}_real($handle);

    if (hmf__unlikely(real_ == $null && $handle != $null))
        return $no(HMF__FN_$f->{name});
$void    return @{[call($f, $handle => 'real_')]};
END
}

my %gen = (
    query => \&gen_query, coll => \&gen_coll, send => \&gen_send,
    isend => sub { gen_isend($_[0], 0) }, sendinit => sub { gen_isend($_[0], 1) },
    icoll => \&gen_later, ifile => \&gen_later, rrma => \&gen_later,
    file => \&gen_file, filelocal => sub { gen_local($_[0], arg_of($_[0], 'MPI_File'), 'file') },
    winlocal => sub { gen_local($_[0], 'win', 'win') }, group => \&gen_pass,
    rma => \&gen_rma,
);

# Functions that no thread is held at: those that only turn a handle into another form, and the
# beginning and end of everything.
sub is_gated
{
    my ($f) = @_;
    return $f->{ret} =~ /^int\s*$/ && $f->{name} !~ /^(Init|Init_thread|Finalize|Abort|Errhandler_[gs]et)$/;
}

# Calls that may wait for another rank's program, in pieces between which a thread may be held.
my %pieces = map { $_ => 1 } qw(Recv Send Ssend Rsend Sendrecv Sendrecv_replace Probe Mprobe
                                Wait Waitall Waitany Waitsome);

sub gen_outer
{
    my ($f) = @_;
    my $args = join(', ', @{$f->{names}});
    my $comm = $f->{class} =~ /^i?coll$/ ? 'comm' : 'MPI_COMM_NULL';
    my $pieces = $pieces{$f->{name}}
        ? "    if (hmf__gate_outside())\n        return hmf__in_pieces_$f->{name}($args);\n" : '';
    return "static __attribute__((noinline)) int gated_$f->{name}($f->{args})\n{\n    bool entered_;\n    int rc_;\n\n"
        . $pieces
        . "    entered_ = hmf__gate_enter(HMF__FN_$f->{name}, $comm);\n"
        . "    rc_ = hmf__mpi_$f->{name}($args);\n"
        . "    if (entered_)\n        hmf__gate_leave();\n    return rc_;\n}\n\n"
        . "int MPI_$f->{name}($f->{args})\n{\n"
        . "    return hmf__unlikely(hmf__gate_on) ? gated_$f->{name}($args) : hmf__mpi_$f->{name}($args);\n}\n\n";
}

if ($what eq 'names') {
    print "MPI_$_->{name}\n" for @functions;
} elsif ($what eq 'header') {
    print "/* The numbers of the interposed MPI functions; $from. */\n";
    print "#ifndef HMF__SHIM_FN_H\n#define HMF__SHIM_FN_H\n\nenum hmf__fn {\n";
    print "    HMF__FN_$_->{name},\n" for @functions;
    print "    HMF__FN_COUNT\n};\n\n/* \"MPI_Send\" for HMF__FN_Send. */\n";
    print "const char *hmf__fn_name(int fn);\n\n#endif\n";
} elsif ($what eq 'inner') {
    print "/* The wrappers by the names that the library gives them; $from. */\n";
    print "#ifndef HMF__SHIM_INNER_H\n#define HMF__SHIM_INNER_H\n\n#include <mpi.h>\n\n";
    for my $f (grep { is_gated($_) } @functions) {
        print fold("int hmf__mpi_$f->{name}($f->{args})\n    __attribute__((visibility(\"hidden\")));\n");
        print fold("int hmf__in_pieces_$f->{name}($f->{args})\n    __attribute__((visibility(\"hidden\")));\n")
            if $pieces{$f->{name}};
    }
    print "\n#ifndef HMF__SHIM_OUTER\n";
    print "#define MPI_$_->{name} hmf__mpi_$_->{name}\n" for grep { is_gated($_) } @functions;
    print "#endif\n\n#endif\n";
} elsif ($what eq 'outer') {
    print "/* What the program calls; $from. */\n#include \"config.h\"\n\n#define HMF__SHIM_OUTER\n",
        "#include \"gate.h\"\n#include \"shim/shim.h\"\n\n";
    print fold(gen_outer($_)) for grep { is_gated($_) } @functions;
} elsif ($what eq 'code') {
    print "/* Wrappers of MPI functions; $from. */\n#include \"config.h\"\n\n#include \"progress.h\"\n#include \"shim/shim.h\"\n\n";
    print "static const char *const names[HMF__FN_COUNT] = {\n";
    print "    \"MPI_$_->{name}\",\n" for @functions;
    print "};\n\nconst char *hmf__fn_name(int fn)\n{\n";
    print "    return fn >= 0 && fn < HMF__FN_COUNT ? names[fn] : \"an MPI function\";\n}\n\n";
    for my $f (@functions) {
        next if $f->{outs} eq 'hand';
        my $gen = $gen{$f->{class}} or die "$f->{name}: class $f->{class} has no generator\n";
        my $text = $gen->($f);
        $text = "#if !OMPI_OMIT_MPI1_COMPAT_DECLS\n$text#endif\n\n" =~ s/\n\n#endif/\n#endif/r
            if $f->{class} eq 'mpi1';
        print fold($text);
    }
} elsif ($what eq 'chain') {
    print "/* PMPI functions of libhmf-pmpi; $from. */\n#include \"config.h\"\n\n#include <mpi.h>\n\n",
        "#include \"shim/chain.h\"\n\n";
    for my $f (@functions) {
        my $types = $f->{args} eq 'void' ? 'void' : join(', ', map { $f->{type}{$_} } @{$f->{names}});
        my $text = "$f->{ret}PMPI_$f->{name}($f->{args})\n{\n"
            . "    static struct hmf__chain_slots slots_;\n    static __thread bool inside_;\n"
            . "    bool ours_ = !inside_ && hmf__chain_outside(__builtin_return_address(0));\n"
            . "    $f->{ret}(*next_)($types) =\n"
            . "        ($f->{ret}(*)($types)) hmf__chain_next(&slots_, \"PMPI_$f->{name}\", ours_);\n"
            . "    __typeof__(next_(" . join(', ', @{$f->{names}}) . ")) out_;\n\n"
            . "    inside_ |= ours_;\n"
            . "    out_ = next_(" . join(', ', @{$f->{names}}) . ");\n"
            . "    inside_ &= !ours_;\n    return out_;\n}\n\n";
        $text = "#if !OMPI_OMIT_MPI1_COMPAT_DECLS\n$text#endif\n\n" =~ s/\n\n#endif/\n#endif/r
            if $f->{name} =~ /^Errhandler_[gs]et$/;
        print fold($text);
    }
} elsif ($what eq 'doc') {
    my %across = (
        query => 'yes', coll => 'yes', icoll => 'yes', send => 'yes', isend => 'yes',
        sendinit => 'yes', recv => 'yes', irecv => 'yes', complete => 'yes', ctor => 'yes',
        free => 'yes', group => 'yes', custom => 'yes',
        grequest => 'yes; its functions need names (`hmf/function.h`)',
        foreign => 'works; a move is refused while the communicator exists, naming it',
        winmake => 'yes', winlocal => 'yes', rma => 'yes', rrma => 'yes', winpscw => 'yes',
        filemake => 'yes', filelocal => 'yes', file => 'yes', ifile => 'yes',
    );
    my %startup = map { $_ => 'replayed' } qw(coll icoll send isend recv irecv complete ctor
        file ifile filemake winmake winpscw);
    my %local = map { $_ => 'local' } qw(query sendinit group custom free winlocal filelocal grequest);
    print "# MPI functions under libhmf-mpi\n\n",
        "Made by `perl src/shim/gen.pl doc src/shim/functions.tab`: every function of MPI that takes or gives a\n",
        "communicator, group, request, message, window or file, and those that make ops and error handlers; and from\n",
        "`others.tab`, class *plain*, all others, which are MPI's own, untouched.\n\n",
        "*Across a move*: what becomes of it when a rank moves. *Start-up*: what a newcomer does with a\n",
        "call between `MPI_Init` and `auto_read`: *replayed*, it gives what it gave the first time and\n",
        "reaches nobody; *local*, it is done again; *once*, the rank cannot move if it was called there.\n",
        "`MPI_Wtime` is not replayed: a newcomer reads its own clock.\n\n",
        "All ranks may have sends, receives, nonblocking collectives and persistent requests pending; a\n",
        "rank that moves finds its own made anew by its start-up, or in registered variables (`mpi-handles.md`). Messages\n",
        "sent before a move and received after it arrive, in order.\n\n",
        "Windows and files move as `mpi-handles.md` says; attributes of windows, memory attached to a dynamic\n",
        "window at the rank that moves, sequential files, and epochs of post and start or split collectives that are\n",
        "open at the poll are refused by name.\n\n",
        "A communicator made by `MPI_Comm_split_type` with `MPI_COMM_TYPE_SHARED` has, after a move, the members\n",
        "that share the node then; `hmf_comm_changes` (`hmf/comm.h`) tells.\n\n",
        "A profiling tool that is loaded before the program and calls `PMPI_` functions goes past this library, unless\n",
        "libhmf-pmpi is loaded behind it: `LD_PRELOAD=tool.so:libhmf-pmpi.so`. Tools that look for the next definition by\n",
        "`dlsym` need nothing. Sessions are no part of MPI 3.1, nor of Open MPI 4.\n\n",
        "Only the C binding is served: Open MPI's Fortran binding calls the profiling names and goes past\n",
        "these functions, so that a Fortran program would see the spares too.\n\n";
    print "| function | class | across a move | start-up |\n|---|---|---|---|\n";
    my @rows;
    open my $others, '<', $path =~ s/functions\.tab$/others.tab/r or die "others.tab: $!\n";
    while (<$others>) {
        next if /^#/;
        /^(MPI_\w+) \| (\S.*?) \| (\S.*)$/ or die "others.tab:$.: not a row\n";
        push @rows, "| $1 | plain | $2 | $3 |\n";
    }
    for my $f (@functions) {
        die "MPI_$f->{name}: class $f->{class} says nothing\n" if !$across{$f->{class}};
        my $s = $f->{outs} =~ /void/ ? 'once'
              : $f->{name} =~ /^Win_(fence|(un)?lock(_all)?|complete|wait)$/ ? 'replayed'
              : $f->{name} =~ /^Win_((at|de)tach|test|set_attr)$/ ? 'once'
              : $startup{$f->{class}} // $local{$f->{class}} // 'once';
        push @rows, "| MPI_$f->{name} | $f->{class} | $across{$f->{class}} | $s |\n";
    }
    print sort @rows;
} else {
    die "gen.pl: what is '$what'?\n";
}
