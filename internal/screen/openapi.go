package screen

import (
	"cmp"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// API is where the JSON API is; its version is part of every path.
const API = "/api/v1/"

// Problem is an error as the API says it (RFC 9457).
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty"`
	Hint     string `json:"hint,omitempty"`
}

// ActDone is what an act answers.
type ActDone struct {
	Said string `json:"said,omitempty"` // one sentence
	Path string `json:"path,omitempty"` // the page that shows it
	Body any    `json:"body,omitempty"`
}

// OpenAPI is the document of the API of these pages: OpenAPI 3.1, made of the pages
// themselves and of their rows' types, so that it cannot say what they do not.
func OpenAPI(screens []Screen, version string) map[string]any {
	s := newSchemas()
	paths := schema{}
	var tags []any
	seen := map[Group]bool{}
	for i := range screens {
		p := &screens[i]
		if g := p.Group; !seen[g] {
			seen[g] = true
			tags = append(tags, schema{"name": tagOf(g), "description": tagAbout[g]})
		}
		paths[API+p.Name] = schema{"get": p.operation(s)}
		for j := range p.Acts {
			paths[API+p.Name+"/"+p.Acts[j].Name] = schema{"post": p.actOperation(s, &p.Acts[j])}
		}
	}
	s.of(reflect.TypeFor[Problem]())
	return map[string]any{
		"openapi": "3.1.0",
		"info": schema{"title": "Partnerguard", "version": version, "summary": "What the console shows, for programs",
			"description": "Every page of the console as JSON: the same rows, facts and numbers. Nothing here is evidence; the archive and the trail are.",
			"license":     schema{"name": "See the product's licence", "identifier": "LicenseRef-Partnerguard"}},
		"servers": []any{schema{"url": "/", "description": "the server this document came from"}},
		"tags":    tags,
		"security": []any{
			schema{"token": []any{}},
			schema{"session": []any{}},
		},
		"paths": paths,
		"components": schema{
			"schemas": s.named,
			"securitySchemes": schema{
				"token":   schema{"type": "http", "scheme": "bearer", "description": "a token of the console: partnerguard console tokens add"},
				"session": schema{"type": "apiKey", "in": "cookie", "name": "__Host-pg", "description": "the session of a person in a browser"},
			},
			"responses": schema{"problem": schema{"description": "What went wrong, and what to do",
				"content": schema{"application/problem+json": schema{"schema": schema{"$ref": "#/components/schemas/ScreenProblem"}}}}},
		},
	}
}

func tagOf(g Group) string { return cmp.Or(string(g), "Other") }

var tagAbout = map[Group]string{Posture: "Are we compliant?",
	Reach: "What does our power touch?", Evidence: "How do we know?", Nowhere: "Reached from other pages."}

func id(verb string, parts ...string) string {
	out := verb
	for _, p := range parts {
		for word := range strings.FieldsFuncSeq(p, func(r rune) bool { return r == '/' || r == '-' || r == '.' }) {
			out += upper(word)
		}
	}
	return out
}

func problems(codes ...int) schema {
	out := schema{}
	for _, c := range append(codes, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable) {
		out[strconv.Itoa(c)] = schema{"$ref": "#/components/responses/problem"}
	}
	return out
}

func param(name, about string, s schema, many bool) schema {
	p := schema{"name": name, "in": "query", "description": about, "schema": s}
	if many {
		p["schema"], p["style"], p["explode"] = schema{"type": "array", "items": s, "maxItems": maxMany}, "form", true
	}
	return p
}

func text() schema { return schema{"type": "string", "maxLength": maxText} }

func (p *Screen) params() []any {
	out := []any{}
	if p.Over != OfHouse {
		out = append(out, param("tenant", "Id or domain of the tenant. Left out: the partner's own, or all of them where the page goes over all.",
			text(), false))
	}
	if l := p.List; l != nil {
		sorts := []string{}
		for _, name := range l.sorts() {
			sorts = append(sorts, name, "-"+name)
		}
		out = append(out, param("q", "Words that are all somewhere in the row.", text(), false))
		if len(sorts) > 0 {
			out = append(out, param("sort", "The order; - is descending.", schema{"type": "string", "enum": sorts}, false))
		}
		size := l.perPage()
		if size == 0 {
			size = Size
		}
		out = append(out, param("page", "From 1; a page past the end is the last.", schema{"type": "integer", "minimum": 1, "default": 1}, false),
			param("size", "Rows a page.", schema{"type": "integer", "minimum": 1, "maximum": MaxSize, "default": size}, false),
			param("row", "The key of the row that is open: the page says more of it.", text(), false))
		for _, f := range l.filterAbout() {
			one := text()
			if len(f.Enum) > 0 {
				one = schema{"type": "string", "enum": f.Enum}
			}
			out = append(out, param(f.Name, cmp.Or(f.Head, f.Name)+": one of these.", one, true))
		}
	}
	for _, x := range p.Params {
		one := text()
		if len(x.Enum) > 0 {
			one = schema{"type": "string", "enum": x.Enum}
		}
		out = append(out, param(x.Name, cmp.Or(x.About, x.Name), one, true))
	}
	return out
}

func (p *Screen) operation(s *schemas) schema {
	data := schema{"type": "array", "maxItems": 0, "items": schema{}}
	about := cmp.Or(p.About, p.Title)
	if p.List != nil {
		data = schema{"type": "array", "items": s.of(p.List.row())}
		var cols []string
		for _, c := range p.List.about() {
			if c.About != "" {
				cols = append(cols, "- "+c.Head+": "+c.About)
			}
		}
		if len(cols) > 0 {
			about += "\n\n" + strings.Join(cols, "\n")
		}
	}
	answer := s.fields(reflect.TypeFor[Answer]())
	props, _ := answer["properties"].(schema)
	props["data"] = data
	if p.List == nil {
		delete(props, "page")
	}
	responses := problems(http.StatusNotFound)
	responses["200"] = schema{"description": p.Title, "content": schema{"application/json": schema{"schema": answer}}}
	return schema{"operationId": id("get", p.Name), "summary": p.Title, "description": about, "tags": []any{tagOf(p.Group)}, "parameters": p.params(),
		"responses": responses, "x-right": string(p.See)}
}

func (p *Screen) actOperation(s *schemas, a *Act) schema {
	props, required := schema{}, []string{}
	for i := range a.Form {
		f := &a.Form[i]
		most := f.Max
		if most == 0 {
			most = maxField
		}
		one := schema{"type": "string", "maxLength": most}
		if len(f.Enum) > 0 {
			one = schema{"type": "string", "enum": f.Enum}
		}
		if f.Kind == "check" {
			one = schema{"type": "boolean"}
		}
		if f.Many {
			one = schema{"type": "array", "items": one, "maxItems": maxMany}
		}
		if says := strings.TrimSpace(f.Label + " " + f.Hint); says != "" {
			one["description"] = says
		}
		props[f.Name] = one
		if f.Required {
			required = append(required, f.Name)
		}
	}
	body := schema{"type": "object", "properties": props, "additionalProperties": false}
	if len(required) > 0 {
		body["required"] = required
	}
	responses := problems(http.StatusConflict, http.StatusNotFound, http.StatusUnprocessableEntity)
	responses["200"] = schema{"description": "It was done", "content": schema{"application/json": schema{"schema": s.of(reflect.TypeFor[ActDone]())}}}
	op := schema{"operationId": id("do", p.Name, a.Name), "summary": a.Title, "description": cmp.Or(a.About, a.Title), "tags": []any{tagOf(p.Group)},
		"requestBody": schema{"required": len(required) > 0, "content": schema{"application/json": schema{"schema": body}}},
		"responses":   responses, "x-right": string(a.Do)}
	if p.Over != OfHouse {
		op["parameters"] = []any{param("tenant", "Id or domain of the tenant.", text(), false)}
	}
	return op
}

// APIPaths are the paths that the API answers for these pages, with their method.
func APIPaths(screens []Screen) []string {
	paths := map[string]bool{}
	for i := range screens {
		paths["GET "+API+screens[i].Name] = true
		for _, a := range screens[i].Acts {
			paths["POST "+API+screens[i].Name+"/"+a.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}
