package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
)

const home = "aaaaaaaa-0000-4000-8000-000000000000"

// serve is one server's process; it ends with its standard input.
func serve(kind string) error {
	dir, err := os.MkdirTemp("", "bench-broker-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	var w where
	tell := func() (int64, int64, error) { return 0, 0, nil }
	var t *trail.Trail
	var d *db.DB
	switch kind {
	case "constant":
		n, err := strconv.Atoi(os.Getenv(sizeVar))
		if err != nil {
			return err
		}
		if w, err = constant(n); err != nil {
			return err
		}
	case "broker":
		if d, err = db.Open(ctx, filepath.Join(dir, "partnerguard.db")); err != nil {
			return err
		}
		defer d.Close()
		if t, err = trail.Open(ctx, d, trail.Options{}); err != nil {
			return err
		}
		x, err := exchange.New(exchange.Deps{Connections: world{}, Authority: world{}})
		if err != nil {
			return err
		}
		b, err := broker.New(broker.Deps{Exchange: x, Trail: t, DB: d})
		if err != nil {
			return err
		}
		l, err := b.Local(ctx, broker.LocalOptions{User: "local:bench", Connection: "contoso", Customers: []string{"bbbbbbbb-0000-4000-8000-000000000001"},
			Resources: []string{"graph"}})
		if err != nil {
			return err
		}
		defer l.Close()
		for _, v := range l.Env(nil) {
			name, value, _ := strings.Cut(v, "=")
			switch name {
			case "IDENTITY_ENDPOINT":
				w.Addr = strings.TrimSuffix(strings.TrimPrefix(value, "http://"), broker.Path)
			case "IDENTITY_HEADER":
				w.Header = value
			}
		}
		w.Target = broker.Path + "?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com"
		tell = func() (entries, pages int64, err error) {
			err = d.QueryRowContext(ctx, "SELECT coalesce(max(last), 0), count(*) FROM trail_pages").Scan(&entries, &pages)
			return entries, pages, err
		}
	default:
		return fmt.Errorf("no server %q", kind)
	}
	if path := os.Getenv(profileVar); path != "" && kind == "broker" {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(w); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var st state
		if in.Text() == "verify" && t != nil {
			r, err := t.Verify(ctx, nil)
			if err == nil {
				err = r.Err()
			}
			if err != nil {
				return err
			}
		}
		var use syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
			return err
		}
		st.CPU, st.Peak = time.Duration(use.Utime.Nano()+use.Stime.Nano()), use.Maxrss
		if st.Entries, st.Pages, err = tell(); err != nil {
			return err
		}
		if err := out.Encode(st); err != nil {
			return err
		}
	}
	return nil
}

// constant answers n bytes with the headers of the broker.
func constant(n int) (w where, err error) {
	body := []byte(strings.Repeat("x", n))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return w, err
	}
	kind, cache, length := []string{"application/json; charset=utf-8"}, []string{"no-store"}, []string{strconv.Itoa(n)}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Content-Type"], h["Cache-Control"], h["Content-Length"] = kind, cache, length
		_, _ = w.Write(body)
	})}
	broker.HardenServer(s)
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	return where{Addr: l.Addr().String(), Target: "/", Header: strings.Repeat("h", 43)}, nil
}

// world is a store and an authority without limits: a token of the usual
// length, for an hour.
type world struct{}

func (world) Find(context.Context, string) (sam.Connection, error) {
	return sam.Connection{ID: "c-1", Name: "contoso", Tenant: home, ClientID: "cccccccc-0000-4000-8000-000000000001", State: sam.Active,
		Cloud: msapi.Commercial()}, nil
}
func (world) Token(context.Context, string) (sam.Held, error) {
	return sam.Held{Current: secret.New("refresh")}, nil
}
func (world) App(_ context.Context, id string) (msapi.App, error) {
	return msapi.App{ClientID: id, Credential: msapi.NewPublic()}, nil
}
func (world) Refresh(_ context.Context, r msapi.RefreshRequest) (*msapi.Grant, error) {
	now := time.Now()
	claims, _ := json.Marshal(map[string]any{"tid": r.Tenant, "scp": "User.Read", "fill": strings.Repeat("f", 1000)})
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`))
	return &msapi.Grant{Access: secret.New(head + "." + base64.RawURLEncoding.EncodeToString(claims) + "." + strings.Repeat("s", 342)), At: now,
		Expires: now.Add(time.Hour)}, nil
}
