package client

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"net/url"

	"partnerguard/internal/problem"
)

// Sheet asks for every row of a page as the words of its columns, the heads first.
func (c *Client) Sheet(ctx context.Context, name string, query url.Values) ([][]string, error) {
	if !pageName.MatchString(name) {
		return nil, problem.New(problem.Usage, "there is no page of that name")
	}
	b, err := c.ask(ctx, http.MethodGet, "/"+name+".csv", "text/csv", query, nil)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, problem.Wrap(err, problem.BadInput, "the server answers what is no table")
	}
	return rows, nil
}
