# What Perl's MIME::Tools sees in messages; it says so as pyemail.py does.
use strict;
use warnings;
use MIME::Parser;

binmode STDIN;
binmode STDOUT;
$SIG{__WARN__} = sub { };

sub put { my ($s) = @_; utf8::encode($s) if utf8::is_utf8($s); print pack("N", length $s), $s; }

sub leaves {
    my ($part, $out) = @_;
    if (my @parts = $part->parts) {
        leaves($_, $out) for @parts;
        return;
    }
    my $body = $part->bodyhandle or return;
    my $data = $body->as_string;
    return if !defined $data || $data eq "";
    my $name = eval { $part->head->recommended_filename };
    $name = "" if !defined $name || ref $name;
    my $shown = $name eq "" && $part->mime_type =~ m{^(text|multipart)/};
    push @$out, [$shown ? "text" : "file", $name, $data];
}

while (read(STDIN, my $head, 4) == 4) {
    read(STDIN, my $raw, unpack("N", $head));
    my $parser = MIME::Parser->new;
    $parser->output_to_core(1);
    $parser->tmp_to_core(1);
    $parser->ignore_errors(1);
    $parser->extract_uuencode(1);
    $parser->extract_nested_messages("NEST");
    my @seen;
    my $entity = eval { $parser->parse_data($raw) };
    leaves($entity, \@seen) if $entity;
    print pack("N", scalar @seen);
    for my $leaf (@seen) { put($_) for @$leaf; }
}
