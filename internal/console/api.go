package console

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/web"
)

const jsonType = "application/json"

// answers is a page for programs, one page of rows at a time.
func (c *Console) answers(s *screen.Screen) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		l, err := c.load(r, s, true)
		if err != nil {
			return err
		}
		body, err := json.Marshal(l.Answer())
		if err != nil {
			return problem.Wrap(err, problem.Internal, "the answer could not be written")
		}
		return web.Reply(w, r, jsonType, body)
	}
}

// json is every row of a page as a file.
func (c *Console) json(s *screen.Screen) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		return c.export(w, r, s, "json", jsonType, (*screen.Loaded).JSON)
	}
}

// csv is every row of a page as a file.
func (c *Console) csv(s *screen.Screen) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		return c.export(w, r, s, "csv", "text/csv; charset=utf-8; header=present", (*screen.Loaded).CSV)
	}
}

var notInName = pattern.Later(`[^A-Za-z0-9.-]+`)

// exportName is the name of a file that a person keeps: page, tenant, day.
func exportName(s *screen.Screen, a *screen.Ask, ext string) string {
	parts := []string{"partnerguard", s.Name}
	if t := a.Tenant; t.ID != "" {
		parts = append(parts, cmp.Or(t.Domain, t.ID))
	}
	parts = append(parts, a.Now.UTC().Format(time.DateOnly))
	return strings.Trim(notInName.ReplaceAllString(strings.Join(parts, "-"), "-"), "-.") + "." + ext
}

func (c *Console) export(w http.ResponseWriter, r *http.Request, s *screen.Screen, ext, kind string, write func(*screen.Loaded, io.Writer) error) error {
	l, err := c.load(r, s, true)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": exportName(s, l.Ask, ext)}))
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", kind)
		return nil
	}
	out := web.Stream(w, r, kind)
	if err := write(l, out); err != nil {
		if r.Context().Err() != nil { // nobody is there any more
			return problem.Wrap(err, problem.Unavailable, "the client went away")
		}
		return problem.Wrap(err, problem.Internal, "the export broke off")
	}
	return out.Close()
}

// acts is an act for programs.
func (c *Console) acts(s *screen.Screen, a *screen.Act) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ask, given, err := c.askAct(r, s, a)
		if err != nil {
			return err
		}
		if len(given) > 0 {
			return problem.New(problem.Usage, "the fields of an act stand in its body, not in its address")
		}
		ask.Machine = true
		form, err := fields(r, a)
		if err != nil {
			return err
		}
		values, err := a.Check(form)
		if err != nil {
			return err
		}
		done, err := a.Handle(r.Context(), ask, values)
		c.pages.needs.acted()
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", jsonType)
		return json.NewEncoder(w).Encode(screen.ActDone{Said: done.Said, Path: done.Path, Body: done.Body})
	}
}

// fields are the members of the JSON object that an act is sent as: texts, numbers as
// they stand, lists of texts, and true for a box. What is there twice is refused.
func fields(r *http.Request, a *screen.Act) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != jsonType {
		if r.ContentLength == 0 && !slices.ContainsFunc(a.Form, func(f screen.Field) bool { return f.Required }) {
			return url.Values{}, nil
		}
		return nil, web.WithStatus(http.StatusUnsupportedMediaType, problem.New(problem.Usage, "an act is sent as JSON: Content-Type: application/json"))
	}
	bad := func(err error) (url.Values, error) {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, err
		}
		return nil, problem.Wrap(err, problem.Usage, "the body is no JSON object of texts").WithHint(`{"field": "text", "list": ["one", "two"], "box": true}`)
	}
	d := jsontext.NewDecoder(r.Body)
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return bad(err)
	}
	out := url.Values{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return bad(err)
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return bad(err)
		}
		list := []jsontext.Value{value}
		if value.Kind() == '[' {
			if err := json.Unmarshal(value, &list); err != nil {
				return bad(err)
			}
		}
		for _, v := range list {
			switch v.Kind() {
			case '"':
				var s string
				if err := json.Unmarshal(v, &s); err != nil {
					return bad(err)
				}
				out.Add(key, s)
			case '0':
				out.Add(key, string(v))
			case 't':
				out.Add(key, "on")
			case 'f', 'n':
			default:
				return bad(nil)
			}
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return bad(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return bad(err)
	}
	return out, nil
}

// openAPI is the document of the API.
func (c *Console) openAPI() handler {
	body := sync.OnceValues(func() ([]byte, error) {
		return json.Marshal(screen.OpenAPI(c.pages.Screens, cmp.Or(c.pages.Version, "0")))
	})
	return func(w http.ResponseWriter, r *http.Request) error {
		b, err := body()
		if err != nil {
			return problem.Wrap(err, problem.Internal, "the document could not be written")
		}
		return web.Reply(w, r, jsonType, b)
	}
}
