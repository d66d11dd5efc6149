//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func (s *scanner) readRoles(ctx context.Context) error {
	list, err := readRoles(ctx, s.c, s.sub)
	if err != nil {
		return s.unread(ctx, "role assignments", err)
	}
	s.out.roles = list
	return nil
}

// readRoles lists the role assignments at and below a subscription.
func readRoles(ctx context.Context, c *Cloud, sub string) (out []role, err error) {
	for raw, err := range c.ARM.Items(ctx, at(sub+"/providers/Microsoft.Authorization/roleAssignments", versionRoles)) {
		if err != nil {
			return nil, err
		}
		var in struct {
			ID         string `json:"id"`
			Properties struct {
				Role        string    `json:"roleDefinitionId"`
				Principal   string    `json:"principalId"`
				Type        string    `json:"principalType"`
				Scope       string    `json:"scope"`
				Condition   *string   `json:"condition"`
				Version     *string   `json:"conditionVersion"`
				Description *string   `json:"description"`
				Created     time.Time `json:"createdOn"`
				By          string    `json:"createdBy"`
			} `json:"properties"`
		}
		if json.Unmarshal(raw, &in) != nil || in.ID == "" {
			return nil, unreadable("a role assignment")
		}
		p := &in.Properties
		b := map[string]string{"roleDefinitionId": p.Role, "principalId": p.Principal}
		for name, v := range map[string]*string{"condition": p.Condition, "conditionVersion": p.Version, "description": p.Description,
			"principalType": &p.Type} {
			if v != nil && *v != "" {
				b[name] = *v
			}
		}
		raw, _ := json.Marshal(b)
		out = append(out, role{id: lowerHead(in.ID), scope: strings.ToLower(strings.TrimSuffix(p.Scope, "/")),
			definition: strings.ToLower(p.Role[strings.LastIndexByte(p.Role, '/')+1:]), principal: strings.ToLower(p.Principal), kind: p.Type,
			created: p.Created, by: strings.ToLower(p.By), before: string(raw)})
		if len(out) > maxThings {
			return nil, problem.New(problem.Limit, "there are more than %d role assignments", maxThings)
		}
	}
	return out, nil
}

func (s *scanner) readLocks(ctx context.Context) error {
	for raw, err := range s.c.ARM.Items(ctx, at(s.sub+"/providers/Microsoft.Authorization/locks", versionLocks)) {
		var in struct {
			ID         string `json:"id"`
			Properties struct {
				Level string `json:"level"`
			} `json:"properties"`
		}
		if err == nil && json.Unmarshal(raw, &in) != nil {
			err = unreadable("locks")
		}
		if err != nil {
			return s.unread(ctx, "locks", err)
		}
		scope, _, _ := strings.Cut(strings.ToLower(in.ID), "/providers/microsoft.authorization/locks/")
		if strings.EqualFold(in.Properties.Level, "ReadOnly") {
			s.out.locks = append(s.out.locks, scope)
		}
	}
	return nil
}

func (s *scanner) readDisks(ctx context.Context) error {
	var names []string
	for raw, err := range s.c.ARM.Items(ctx, at(s.sub+"/providers/Microsoft.Compute/disks", versionCompute)) {
		var in listed
		var more struct {
			Properties struct {
				State   string    `json:"diskState"`
				Created time.Time `json:"timeCreated"`
			} `json:"properties"`
		}
		if err == nil && (json.Unmarshal(raw, &in) != nil || json.Unmarshal(raw, &more) != nil) {
			err = unreadable("disks")
		}
		if err != nil {
			return s.unread(ctx, "disks", err)
		}
		if strings.EqualFold(more.Properties.State, "Unattached") && !more.Properties.Created.Before(s.since) {
			names = append(names, print.Clean(in.Name, 60))
		}
	}
	s.out.disks = names
	return nil
}

// readKeys reads credentials of apps and service principals that are newer than since.
func (s *scanner) readKeys(ctx context.Context) error {
	for _, list := range []string{"applications", "servicePrincipals"} {
		path := "/v1.0/" + list + "?$select=id,appId,displayName,passwordCredentials,keyCredentials&$top=100"
		n := 0
		for raw, err := range s.c.Graph.Items(ctx, path) {
			var in struct {
				ID   string `json:"id"`
				App  string `json:"appId"`
				Name string `json:"displayName"`
				credentials
			}
			if err == nil && json.Unmarshal(raw, &in) != nil {
				err = unreadable("apps")
			}
			if n++; err == nil && n > maxThings {
				err = problem.New(problem.Limit, "there are more than %d of them", maxThings)
			}
			if err != nil {
				if err := s.unread(ctx, "credentials of "+list, err); err != nil {
					return err
				}
				break
			}
			if strings.EqualFold(in.App, s.c.Self.App) || !guid.MatchString(strings.ToLower(in.ID)) {
				continue
			}
			note := func(k credential, what string) {
				if !k.Start.Before(s.since) && guid.MatchString(strings.ToLower(k.Key)) {
					s.out.keys = append(s.out.keys, newKey{list + "/" + strings.ToLower(in.ID), print.Clean(in.Name, print.MaxName), k.Key, what, k.Start})
				}
			}
			for _, k := range in.Passwords {
				note(k, "secret")
			}
			for _, raw := range in.Keys {
				var k credential
				if json.Unmarshal(raw, &k) == nil {
					note(k, "certificate")
				}
			}
		}
	}
	return nil
}

// readQuotas reads how the quotas of regions are used.
func (s *scanner) readQuotas(ctx context.Context, places []string) error {
	for _, place := range places {
		for raw, err := range s.c.ARM.Items(ctx, at(s.sub+"/providers/Microsoft.Compute/locations/"+place+"/usages", versionCompute)) {
			var in struct {
				Now   int64 `json:"currentValue"`
				Limit int64 `json:"limit"`
				Name  struct {
					Value string `json:"value"`
				} `json:"name"`
			}
			if err == nil && json.Unmarshal(raw, &in) != nil {
				err = unreadable("quotas")
			}
			if err != nil {
				if err := s.unread(ctx, "quotas of "+place, err); err != nil {
					return err
				}
				break
			}
			s.out.quotas = append(s.out.quotas, quotaRow{in.Name.Value, place, in.Now, in.Limit})
		}
	}
	return nil
}
