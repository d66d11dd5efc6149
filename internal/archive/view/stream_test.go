package view

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// What is lent is read as it was, however slowly, and is its owner's again once lend
// returns: whoever closes early gives it back.
func TestLentIsGivenBack(t *testing.T) {
	t.Parallel()
	page := make([]byte, 1000)
	over := make(chan error, 1)
	f := &file{name: "x", make: func(_ context.Context, s *sink) error {
		for i := range 50 {
			for k := range page {
				page[k] = 'a' + byte(i%26) // a race, if somebody still reads
			}
			s.text("<")
			if err := s.lend(page); err != nil {
				over <- err
				return err
			}
		}
		over <- nil
		return nil
	}}
	var want strings.Builder
	for i := range 50 {
		want.WriteString("<" + strings.Repeat(string(rune('a'+i%26)), len(page)))
	}
	in := newStream(t.Context(), f)
	got, err := io.ReadAll(iotest.OneByteReader(in))
	if err != nil || string(got) != want.String() || <-over != nil || in.Close() != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}

	for _, n := range []int64{1, 500, 1001, 1500, 20_000} {
		ctx, stop := context.WithCancel(t.Context())
		in := newStream(ctx, f)
		if _, err := io.CopyN(io.Discard, in, n); err != nil {
			t.Fatal(err)
		}
		if n == 500 {
			stop()
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		stop()
	}
}
