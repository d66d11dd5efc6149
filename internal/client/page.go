package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"partnerguard/internal/problem"
)

// Page is one page of rows, or of a page without rows its summary.
type Page[T any] struct {
	Data []T `json:"data"`
	Page *struct {
		Number  int `json:"number"`
		Size    int `json:"size"`
		Pages   int `json:"pages"`
		Matched int `json:"matched"`
		Total   int `json:"total"`
	} `json:"page"`
	Tenant  string          `json:"tenant"`
	Facts   []Fact          `json:"facts"`
	Notices []Notice        `json:"notices"`
	Missing bool            `json:"missing"` // nothing was ever read: not the same as none
	Summary json.RawMessage `json:"summary"`
	AsOf    time.Time       `json:"asOf"`
}

// Fact is something that an answer rests on.
type Fact struct {
	What    string    `json:"what"`
	At      time.Time `json:"at"` // zero: never read
	Gaps    int       `json:"gaps"`
	Source  string    `json:"source"`
	Decides bool      `json:"decides"`
	State   string    `json:"state"` // "in time", "late", "stale"
}

// Notice is what is wrong or not whole.
type Notice struct {
	Level string `json:"level"`
	Text  string `json:"text"`
}

var pageName = regexp.MustCompile(`^[a-z0-9-]+(/[a-z0-9-]+)*$`)

// Get asks for one page of rows: name is the page's, such as "people".
func Get[T any](ctx context.Context, c *Client, name string, query url.Values) (*Page[T], error) {
	if !pageName.MatchString(name) {
		return nil, problem.New(problem.Usage, "there is no page of that name")
	}
	b, err := c.ask(ctx, http.MethodGet, api+name, "application/json", query, nil)
	if err != nil {
		return nil, err
	}
	p := &Page[T]{}
	if err := json.Unmarshal(b, p); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the server answers what this version does not understand").
			WithHint("use the version of the server")
	}
	return p, nil
}

// maxRows bounds what All gathers.
const maxRows = 1_000_000

// All asks for every page of rows. What changes meanwhile may be there twice or not at all;
// the rest of the answer is the first page's.
func All[T any](ctx context.Context, c *Client, name string, query url.Values) (*Page[T], error) {
	q := url.Values{}
	for k, v := range query {
		q[k] = v
	}
	q.Set("size", "1000")
	var first *Page[T]
	for n := 1; ; n++ {
		q.Set("page", strconv.Itoa(n))
		p, err := Get[T](ctx, c, name, q)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = p
			if p.Page == nil {
				return p, nil
			}
		} else {
			first.Data = append(first.Data, p.Data...)
		}
		switch {
		case p.Page == nil || n >= p.Page.Pages || len(p.Data) == 0:
			return first, nil
		case len(first.Data) > maxRows:
			return nil, problem.New(problem.Limit, "the server has more than %d rows", maxRows).WithHint("narrow what is asked for")
		}
	}
}

// Done is what an act came to.
type Done struct {
	Said string          `json:"said"`
	Path string          `json:"path"`
	Body json.RawMessage `json:"body"`
}

// Do does an act of a page, with its fields. It is sent once: whether it was done is not
// known where the answer does not come.
func (c *Client) Do(ctx context.Context, name, act string, query url.Values, fields map[string]any) (*Done, error) {
	if !pageName.MatchString(name) || !pageName.MatchString(act) {
		return nil, problem.New(problem.Usage, "there is no act of that name")
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return nil, problem.Wrap(err, problem.Usage, "the fields cannot be sent")
	}
	b, err := c.ask(ctx, http.MethodPost, api+name+"/"+act, "application/json", query, body)
	if err != nil {
		return nil, err
	}
	d := &Done{}
	if err := json.Unmarshal(b, d); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the server answers what this version does not understand")
	}
	return d, nil
}
