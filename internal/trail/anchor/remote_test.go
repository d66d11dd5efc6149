package anchor_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/partnercloud/stamp"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
)

// witness is a server that speaks C2SP tlog-witness, written from its text.
type witness struct {
	mu     sync.Mutex
	log    note.Verifier
	signer note.Signer
	key    string
	size   int64
	root   tlog.Hash
	answer func(w http.ResponseWriter) bool // answers in its place
}

func (x *witness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.answer != nil && x.answer(w) {
		return
	}
	body, _ := io.ReadAll(r.Body)
	head, raw, ok := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	n, nerr := note.Open(raw, note.VerifierList(x.log))
	if !ok || err != nil || nerr != nil || r.URL.Path != "/w/add-checkpoint" {
		http.Error(w, "bad", http.StatusForbidden)
		return
	}
	c := strings.Split(n.Text, "\n")
	size, _ := strconv.ParseInt(c[1], 10, 64)
	var root tlog.Hash
	b, _ := base64.StdEncoding.DecodeString(c[2])
	copy(root[:], b)
	if old > size {
		http.Error(w, "bad", http.StatusBadRequest)
		return
	}
	if old != x.size || old == size && x.size > 0 && root != x.root {
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, "%d\n", x.size)
		return
	}
	var p tlog.TreeProof
	for _, l := range lines[1:] {
		b, _ := base64.StdEncoding.DecodeString(l)
		p = append(p, tlog.Hash(b))
	}
	if old > 0 && old < size && tlog.CheckTree(p, size, root, old, x.root) != nil {
		http.Error(w, "bad", http.StatusUnprocessableEntity)
		return
	}
	x.size, x.root = size, root
	sig, _ := x.signer.Sign([]byte(n.Text))
	h := x.signer.KeyHash()
	fmt.Fprintf(w, "— %s %s\n", x.signer.Name(), base64.StdEncoding.EncodeToString(append([]byte{byte(h >> 24), byte(h >> 16), byte(h >> 8), byte(h)}, sig...)))
}

func watch(h *house) (*witness, *anchor.Witness) {
	h.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "witness.example/w1")
	if err != nil {
		h.Fatal(err)
	}
	x := &witness{log: h.signer.Verifier(), key: vkey}
	if x.signer, err = formats.NewSignerForCosignatureV1(skey); err != nil {
		h.Fatal(err)
	}
	s := httptest.NewServer(x)
	h.Cleanup(s.Close)
	a, err := anchor.NewWitness(s.URL+"/w", vkey, 0, nil, time.Now)
	if err != nil {
		h.Fatal(err)
	}
	return x, a
}

func TestWitness(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	x, a := watch(h)
	for _, n := range []int{0, 3, 0, 700, 1} { // nothing new, and more than two tiles
		h.record(n)
		if st := h.send(a)[0]; !st.Failing.IsZero() {
			t.Fatalf("%+v", st)
		}
	}
	r := h.verify(a)
	if r.Err() != nil || r.Anchors[0].Marks != 4 || r.Anchors[0].At.IsZero() {
		t.Fatalf("%+v", r)
	}
	// Who deletes what was cosigned does not make the witness forget.
	h.exec("DELETE FROM trail_proofs")
	h.exec("DELETE FROM trail_anchors")
	if r := h.verify(a); r.Err() != nil || r.Anchors[0].Unsaid == "" {
		t.Errorf("%+v", r)
	}
	if st := h.send(a)[0]; !st.Failing.IsZero() {
		t.Errorf("it went on from the size that the witness said: %+v", st)
	}
	h.rewrite(3, 800)
	if st := h.send(a)[0]; !st.Misfit || !strings.Contains(st.Reason, "not the beginning") {
		t.Errorf("a fork: %+v", st)
	}
	if r := h.verify(a); x.size == 0 || r.Err() == nil {
		t.Error("a fork verifies")
	}
	h.exec("DELETE FROM trail_proofs")
	h.exec("DELETE FROM trail_anchors")
	h.rewrite(3, 0)
	if st := h.send(a)[0]; !st.Misfit || !strings.Contains(st.Reason, "cut off") {
		t.Errorf("cut, and its anchors forgotten: %+v", st)
	}
}

func TestWitnessSetBack(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	x, a := watch(h)
	h.send(a)
	x.mu.Lock()
	x.size, x.root = 2, tlog.Hash{}
	x.mu.Unlock()
	if r := h.verify(a); !errors.Is(r.Err(), problem.Unmet) {
		t.Errorf("%+v", r)
	}
	if st := h.send(a)[0]; !st.Misfit || !strings.Contains(st.Reason, "set back") {
		t.Errorf("%+v", st)
	}
}

// Answers that are no cosignature.
func TestHostileWitness(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	x, a := watch(h)
	for name, c := range map[string]func(w http.ResponseWriter){
		"empty":        func(http.ResponseWriter) {},
		"html":         func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") },
		"endless":      func(w http.ResponseWriter) { fmt.Fprint(w, strings.Repeat("— witness.example/w1 AAAA\n", 1<<14)) },
		"no signature": func(w http.ResponseWriter) { fmt.Fprint(w, "— witness.example/w1 AAAAAAAAAAAAAAAA\n") },
		"another's": func(w http.ResponseWriter) {
			fmt.Fprint(w, "— other "+base64.StdEncoding.EncodeToString(make([]byte, 76))+"\n")
		},
		"a size that is none": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/x.tlog.size")
			w.WriteHeader(409)
			fmt.Fprint(w, "-1\n")
		},
		"sent elsewhere": func(w http.ResponseWriter) { w.Header().Set("Location", "http://127.0.0.1:1/"); w.WriteHeader(307) },
		"unknown":        func(w http.ResponseWriter) { w.WriteHeader(404) },
		"failing":        func(w http.ResponseWriter) { w.WriteHeader(500) },
	} {
		x.mu.Lock()
		x.answer = func(w http.ResponseWriter) bool { c(w); return true }
		x.mu.Unlock()
		if st := h.send(a)[0]; st.Failing.IsZero() || st.Misfit {
			t.Errorf("%s: %+v", name, st)
		}
	}
	// A cosignature of the future.
	x.mu.Lock()
	x.answer = nil
	x.mu.Unlock()
	early, err := anchor.NewWitness(strings.TrimPrefix(a.Name(), "witness:"), x.key, 0, nil, func() time.Time { return time.Now().Add(-time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	if st := h.send(early)[0]; st.Failing.IsZero() || !strings.Contains(st.Reason, "future") {
		t.Errorf("%+v", st)
	}
}

// tsa is a time stamping authority that can answer with an old answer.
type tsa struct {
	roots  *x509.CertPool
	change func(*timestamp.Timestamp)
	a      *stamp.Authority
	replay []byte
	last   []byte
	mu     sync.Mutex
}

func authority(t testing.TB, change func(*x509.Certificate)) *tsa {
	t.Helper()
	x := &tsa{roots: x509.NewCertPool()}
	var err error
	x.a, err = stamp.New(stamp.Options{Certificate: change, Stamp: func(s *timestamp.Timestamp) {
		if x.change != nil {
			x.change(s)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	x.roots.AddCert(x.a.Root())
	return x
}

func (x *tsa) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.replay != nil {
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(x.replay)
		return
	}
	rec := httptest.NewRecorder()
	x.a.ServeHTTP(rec, r)
	x.last = rec.Body.Bytes()
	w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
	w.WriteHeader(rec.Code)
	_, _ = w.Write(x.last)
}

func (x *tsa) at(t *testing.T, file string) *anchor.Timestamp {
	t.Helper()
	s := httptest.NewServer(x)
	t.Cleanup(s.Close)
	a, err := anchor.NewTimestamp(s.URL, x.roots, file, 0, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := build(t, d)
		_, path := file(t)
		a := authority(t, nil).at(t, path)
		for range 3 {
			if st := h.send(a)[0]; !st.Failing.IsZero() {
				t.Fatalf("%+v", st)
			}
			h.record(2)
		}
		if r := h.verify(a); r.Err() != nil || r.Anchors[0].Marks != 6 || r.Anchors[0].Size != 10 {
			t.Fatalf("%+v", r)
		}
		h.exec("UPDATE trail_proofs SET size = size + 100, note = (SELECT min(note) FROM trail_proofs)")
		if r := h.verify(a); !errors.Is(r.Err(), problem.Unmet) {
			t.Errorf("a stamp put beside another note: %+v", r)
		}
		// The database forgets; the file does not.
		h.exec("DELETE FROM trail_proofs")
		h.rewrite(4, 50)
		if r := h.verify(a); !errors.Is(r.Err(), problem.Unmet) || !strings.Contains(r.Err().Error(), "does not fit") {
			t.Errorf("written anew: %+v", r)
		}
	})
}

func TestHostileTimestamps(t *testing.T) {
	t.Parallel()
	eku := func(critical bool, ids ...asn1.ObjectIdentifier) func(*x509.Certificate) {
		raw, _ := asn1.Marshal(ids)
		return func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: raw}}
		}
	}
	stamping, server := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	other := authority(t, nil)
	for name, c := range map[string]struct {
		cert   func(*x509.Certificate)
		change func(*timestamp.Timestamp)
		swap   bool
		words  string
	}{
		"good":                        {words: ""},
		"another imprint":             {change: func(s *timestamp.Timestamp) { s.HashedMessage = make([]byte, 32) }, words: "something else"},
		"another nonce":               {change: func(s *timestamp.Timestamp) { s.Nonce = big.NewInt(7) }, words: "nonce"},
		"no nonce":                    {change: func(s *timestamp.Timestamp) { s.Nonce = nil }, words: "nonce"},
		"no certificate":              {change: func(s *timestamp.Timestamp) { s.AddTSACertificate = false }, words: "exactly one"},
		"another root":                {swap: true, words: "known root"},
		"no purpose":                  {cert: func(c *x509.Certificate) { c.ExtraExtensions = nil }, words: "for time stamps alone"},
		"purpose of a server":         {cert: eku(true, server), words: "for time stamps alone"},
		"two purposes":                {cert: eku(true, stamping, server), words: "for time stamps alone"},
		"not critical":                {cert: eku(false, stamping), words: "critically"},
		"a use too many":              {cert: func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }, words: "other uses"},
		"expired":                     {cert: func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, words: "does not count"},
		"stamped before it was valid": {change: func(s *timestamp.Timestamp) { s.Time = time.Now().Add(-2 * time.Hour) }, words: "valid"},
		"a clock that is off":         {change: func(s *timestamp.Timestamp) { s.Time = time.Now().Add(-30 * time.Minute) }, words: "clock"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, dbtest.SQLite(t))
			x := authority(t, c.cert)
			x.change = c.change
			if c.swap {
				x.roots = other.roots
			}
			st := h.send(x.at(t, ""))[0]
			if c.words == "" && !st.Failing.IsZero() || c.words != "" && !strings.Contains(st.Reason, c.words) {
				t.Errorf("%+v; want %q", st, c.words)
			}
		})
	}
	t.Run("an old answer again", func(t *testing.T) {
		t.Parallel()
		h := build(t, dbtest.SQLite(t))
		x := authority(t, nil)
		a := x.at(t, "")
		h.send(a)
		x.mu.Lock()
		x.replay = x.last
		x.mu.Unlock()
		if st := h.send(a)[0]; !strings.Contains(st.Reason, "nonce") {
			t.Errorf("%+v", st)
		}
	})
}

func FuzzStamped(f *testing.F) {
	x := authority(f, nil)
	s := httptest.NewServer(x)
	defer s.Close()
	q := &timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: make([]byte, 32), Certificates: true, Nonce: big.NewInt(1)}
	raw, err := q.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	res, err := http.Post(s.URL, "application/timestamp-query", bytes.NewReader(raw))
	if err != nil {
		f.Fatal(err)
	}
	defer res.Body.Close()
	good, _ := io.ReadAll(res.Body)
	f.Add(good)
	f.Add(good[9:])
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := anchor.Stamped(raw, []byte("x"), x.roots, nil); err == nil {
			t.Error("a stamp of nothing counts")
		}
	})
}

func TestSyslog(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b, _ := io.ReadAll(c)
		got <- string(b)
	}()
	a, err := anchor.NewSyslog("tcp://"+l.Addr().String(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if st := h.send(a)[0]; !st.Failing.IsZero() {
		t.Fatalf("%+v", st)
	}
	msg := <-got
	count, text, _ := strings.Cut(msg, " ")
	if fmt.Sprint(len(text)) != count || !strings.HasPrefix(text, "<109>1 ") {
		t.Errorf("%q", msg)
	}
	if r := h.verify(a); r.Err() != nil || !strings.Contains(r.Anchors[0].Unsaid, "--checkpoint") {
		t.Errorf("%+v", r)
	}
	// What the server wrote down is what verify reads.
	k := kept{text[strings.Index(text, "{"):] + "\n"}
	if r := h.verify(k); r.Err() != nil || r.Anchors[0].Marks != 1 {
		t.Errorf("%+v", r)
	}
	h.rewrite(2, 0)
	if r := h.verify(k); !errors.Is(r.Err(), problem.Unmet) {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{"", "host", "ftp://h", "tcp://", "tcp://u:p@h", "unix://h/x", "udp://h/x"} {
		if _, err := anchor.NewSyslog(bad, 0, nil); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	key := "w+0+A"
	for _, bad := range []string{"", "http://w.example", "https://u:p@w.example", "https://w.example?x", "file:///x"} {
		if _, err := anchor.NewWitness(bad, key, 0, nil, time.Now); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := anchor.NewTimestamp("https://t.example", nil, "", 0, nil, time.Now); err == nil {
		t.Error("a time stamping authority without roots is taken")
	}
	var _ trail.Anchor = (*anchor.Witness)(nil)
}
