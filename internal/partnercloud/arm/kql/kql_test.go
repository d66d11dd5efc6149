package kql_test

import (
	"encoding/json"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/arm/kql"
)

func rows(t testing.TB) []kql.Row {
	t.Helper()
	var out []kql.Row
	err := json.Unmarshal([]byte(`[
		{"name":"vm-1","type":"microsoft.compute/virtualmachines","location":"eastus","tags":{"env":"prod","a-b":"x"},
			"properties":{"size":4,"disks":[{"id":"d1"}]}},
		{"name":"vm-2","type":"microsoft.compute/virtualmachines","location":"westeurope","tags":null,"properties":{"size":24}},
		{"name":"vnet","type":"microsoft.network/virtualnetworks","location":"eastus","tags":{},"properties":{}}]`), &out)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRun(t *testing.T) {
	t.Parallel()
	for q, want := range map[string]string{
		"Resources | where type =~ 'Microsoft.Compute/virtualMachines' | project name | limit 1":           `[{"name":"vm-1"}]`,
		"resources | where type == 'Microsoft.Compute/virtualMachines' | project name":                     `[]`,
		"Resources | summarize count() by location | order by count_ desc":                                 `[{"count_":2,"location":"eastus"},{"count_":1,"location":"westeurope"}]`,
		"Resources | where properties.size > 10 or tags.env == \"prod\" | project n=name | sort by n desc": `[{"n":"vm-2"},{"n":"vm-1"}]`,
		"Resources | where tags['a-b'] == 'x' | project tags.env, tostring(properties.disks[0].id)":        `[{"properties_disks_0_id":"d1","tags_env":"prod"}]`,
		"Resources | where name !in ('vm-1', 'vm-2') | count":                                              `[{"Count":1}]`,
		"Resources | where name in~ ('VM-1') | project name":                                               `[{"name":"vm-1"}]`,
		"where isnotempty(tags.env) | project-away tags, properties, type":                                 `[{"location":"eastus","name":"vm-1"}]`,
		"Resources | extend big = properties.size >= 24 | where name startswith 'vm' | project big":        `[{"big":false},{"big":true}]`,
		"Resources | where not(location has 'eastus') | project name // a remark":                          `[{"name":"vm-2"}]`,
		"Resources | where type has 'compute' | summarize cores=sum(properties.size), n=dcount(location)":  `[{"cores":28,"n":2}]`,
		"Resources | distinct location":                                                                    `[{"location":"eastus"},{"location":"westeurope"}]`,
		"Resources\n| top 1 by name desc\n| project name":                                                  `[{"name":"vnet"}]`,
		"Resources | where name contains 'M-' and (location =~ 'EastUS') | project Name=name":              `[{"Name":"vm-1"}]`,
		"Resources | where name == 'none' | summarize count()":                                             `[{"count_":0}]`,
		"Resources | summarize make_set(location), max(properties.size)":                                   `[{"make_set_location":["eastus","westeurope"],"max_properties_size":24}]`,
		"Resources | where name == @'c:\\x' | count":                                                       `[{"Count":0}]`,
		"Resources | order by name asc | take 2 | project name | order by name desc":                       `[{"name":"vm-2"},{"name":"vm-1"}]`,
	} {
		p, err := kql.Parse(q, "resources")
		if want == "" {
			if err == nil {
				t.Errorf("%s: taken", q)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %+v", q, err)
			continue
		}
		got := p.Run(rows(t))
		if got == nil {
			got = []kql.Row{}
		}
		if b, _ := json.Marshal(got); string(b) != want {
			t.Errorf("%s:\n got %s\nwant %s", q, b, want)
		}
	}
}

// What is not understood is refused where it stands.
func TestRefused(t *testing.T) {
	t.Parallel()
	for q, token := range map[string]string{
		"Resources | join kind=inner (ResourceContainers) on subscriptionId": "join",
		"Resources | mv-expand tags":                                         "mv-expand",
		"SecurityResources | project id":                                     "SecurityResources",
		"Resources | where name matches regex 'x'":                           "matches",
		"Resources | where name == ":                                         "",
		"Resources | where (name == 'x'":                                     "",
		"Resources | project name |":                                         "",
		"Resources | limit many":                                             "many",
		"Resources | summarize percentile(x, 5) by y":                        "percentile(x,",
		"Resources | extend a = strcat('x', name)":                           "strcat('x',",
		"Resources | where name == 'x":                                       "'x",
		"Resources | where name == 'x' garbage":                              "garbage",
		"Resources | where tags.[x] == 'y'":                                  "[x]",
		"Resources ; drop":                                                   "",
		"Resources | where " + strings.Repeat("(", 200):                      "(((((((((((((((((((((((((((((((((",
		"Resources | where " + strings.Repeat("not(", 200) + "true" + strings.Repeat(")", 200): "",
		"Resources" + strings.Repeat(" | count", 100):                                          "",
		strings.Repeat("x", 40<<10):                                                            "",
	} {
		p, err := kql.Parse(q, "resources", "resourcecontainers")
		if err == nil || p != nil {
			t.Errorf("%.60s: taken", q)
			continue
		}
		if err.Line < 1 || err.Column < 1 || err.Text == "" || token != "" && !strings.HasPrefix(token, err.Token) {
			t.Errorf("%.60s: %+v", q, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, q := range []string{"Resources | where type =~ 'x' | summarize count() by location | order by count_", "| where", "Resources|project a=b.c['d'][0]",
		"Resources | where a !in~ (1,'2') or not(b has \"x\")", "Resources | extend x=-1 | top 3 by x asc, y"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		p, err := kql.Parse(q, "resources")
		if (p == nil) == (err == nil) {
			t.Fatal("neither a query nor an error, or both")
		}
		if p == nil {
			if err.Line < 1 || err.Column < 1 || len(err.Token) > 40 {
				t.Fatalf("%+v", err)
			}
			return
		}
		before, _ := json.Marshal(rows(t))
		in := rows(t)
		p.Run(in)
		if after, _ := json.Marshal(in); string(after) != string(before) {
			t.Fatal("the rows were changed")
		}
	})
}
