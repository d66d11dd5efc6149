package gate

import (
	"crypto/sha256"
	"net/http"
	"strings"
)

// page is a reply that may be sent once more.
type page struct {
	status      int
	contentType string
	body        []byte
	key         [32]byte // which page it is
}

func (p *page) send(w http.ResponseWriter) {
	if p.contentType != "" {
		w.Header().Set("Content-Type", p.contentType)
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(p.body)
}

func (b *buffer) page(r *http.Request) (page, bool) {
	return page{status: b.code(), contentType: b.header.Get("Content-Type"), body: b.body, key: pageKey(r)},
		b.code() == http.StatusOK && b.size == len(b.body) && b.size > 0 && b.header.Get("Content-Encoding") == ""
}

// pages remembers the last page of each list and which next links were read.
// Callers are told apart by a hash of their token, so that nobody is sent a
// page of somebody else. The zero value is empty.
type pages struct {
	last map[[32]byte]page
	read map[[32]byte]struct{}
}

const (
	maxLists = 32
	maxLinks = 4096
)

func (p *pages) forget() { p.last, p.read = nil, nil }

func hash(parts ...string) [32]byte { return sha256.Sum256([]byte(strings.Join(parts, "\x00"))) }

// listKey names a list as one caller sees it: the path without the page.
func listKey(service string, r *http.Request) [32]byte {
	return hash(service, r.Host, r.URL.Path, r.Header.Get("Authorization"))
}

// pageKey names a page of a list. Partner Center pages by a header.
func pageKey(r *http.Request) [32]byte {
	return hash(r.URL.RawQuery, r.Header.Get("MS-ContinuationToken"))
}

func (p *pages) put(service string, r *http.Request, pg page) {
	if p.last == nil || len(p.last) >= maxLists {
		p.last = map[[32]byte]page{}
	}
	p.last[listKey(service, r)] = pg
}

// before is the page that was served before the one r asks for; nil when there
// is none or r asks for the same one again.
func (p *pages) before(service string, r *http.Request) *page {
	pg, ok := p.last[listKey(service, r)]
	if !ok || r.Method != http.MethodGet || pg.key == pageKey(r) || !continues(r) {
		return nil
	}
	return &pg
}

// drop forgets the page before, so that it is repeated once only: the next page
// that is served takes its place.
func (p *pages) drop(service string, r *http.Request) { delete(p.last, listKey(service, r)) }

// readAgain notes that a next link is read, and says whether it was before.
func (p *pages) readAgain(service string, r *http.Request) bool {
	if r.Method != http.MethodGet || !continues(r) {
		return false
	}
	list, pg := listKey(service, r), pageKey(r)
	key := hash(string(list[:]), string(pg[:]))
	_, again := p.read[key]
	if p.read == nil || len(p.read) >= maxLinks {
		p.read = map[[32]byte]struct{}{}
	}
	p.read[key] = struct{}{}
	return again
}

// continues says whether r asks for a page after the first: by the words that
// Graph, Partner Center and Resource Manager use for it.
func continues(r *http.Request) bool {
	if r.Header.Get("MS-ContinuationToken") != "" {
		return true
	}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		switch strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, "%24", "$"), "$")) {
		case "skiptoken", "skip", "seekoperation", "continuationtoken", "deltatoken":
			return true
		}
	}
	return false
}
