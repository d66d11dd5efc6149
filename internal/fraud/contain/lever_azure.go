//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"partnerguard/internal/problem"
)

// The versions of Azure's APIs that are spoken.
const (
	versionResources  = "2021-04-01"
	versionCompute    = "2024-07-01"
	versionRoles      = "2022-04-01"
	versionLocks      = "2016-09-01"
	versionBatch      = "2024-07-01"
	versionLearning   = "2024-10-01"
	versionContainers = "2023-05-01"
	versionQuota      = "2023-02-01"
)

// at is a path with its version.
func at(path, version string, more ...string) string {
	return path + "?api-version=" + version + strings.Join(append([]string{""}, more...), "&")
}

// post asks for an action of a resource.
func post(action, version string) func(context.Context, *Cloud, *Step) (string, error) {
	return func(ctx context.Context, c *Cloud, s *Step) (string, error) {
		return c.ARM.Do(ctx, http.MethodPost, at(s.Target+"/"+action, version), nil)
	}
}

func del(version string) func(context.Context, *Cloud, *Step) (string, error) {
	return func(ctx context.Context, c *Cloud, s *Step) (string, error) {
		return c.ARM.Do(ctx, http.MethodDelete, at(s.Target, version), nil)
	}
}

// power says how something stands by the states of its machines. One that is stopped and not
// deallocated is paid for. No known state is an error: nobody takes that for stopped.
func power(states []string) (Standing, error) {
	out := After
	for _, s := range states {
		switch strings.ToLower(s) {
		case "deallocated":
		case "deallocating", "deleting":
			if out == After {
				out = Passing
			}
		default:
			out = Before
		}
	}
	return out, nil
}

// view is an instance view.
type view struct {
	Statuses []struct {
		Code string `json:"code"`
	} `json:"statuses"`
}

func (v *view) power() (out []string) {
	for _, s := range v.Statuses {
		if state, ok := cutPrefixFold(s.Code, "PowerState/"); ok {
			out = append(out, state)
		}
	}
	return out
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

func lookMachine(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	raw, err := c.ARM.Get(ctx, at(p.Step.Target+"/instanceView", versionCompute))
	if err != nil {
		return gone(err)
	}
	var v view
	if json.Unmarshal(raw, &v) != nil || len(v.power()) == 0 {
		return "", unreadable("a virtual machine")
	}
	return power(v.power())
}

// lookSet asks each machine of a scale set; where Azure does not list them, the set's own
// view.
func lookSet(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	var states []string
	whole := struct {
		Properties struct {
			View *view `json:"instanceView"`
		} `json:"properties"`
	}{}
	for raw, err := range c.ARM.Items(ctx, at(p.Step.Target+"/virtualMachines", versionCompute, "$expand=instanceView")) {
		if absent(err) {
			raw, err = c.ARM.Get(ctx, at(p.Step.Target, versionCompute, "$expand=instanceView"))
		}
		if err != nil {
			return gone(err)
		}
		whole.Properties.View = nil
		if json.Unmarshal(raw, &whole) != nil || whole.Properties.View == nil || len(whole.Properties.View.power()) == 0 {
			return "", unreadable("a scale set")
		}
		states = append(states, whole.Properties.View.power()...)
	}
	return power(states)
}

// pool is what of a Batch pool says whether it runs.
type pool struct {
	Properties struct {
		Scale struct {
			Fixed *struct {
				Dedicated int `json:"targetDedicatedNodes"`
				Low       int `json:"targetLowPriorityNodes"`
			} `json:"fixedScale"`
			Auto json.RawMessage `json:"autoScale"`
		} `json:"scaleSettings"`
		Dedicated int    `json:"currentDedicatedNodes"`
		Low       int    `json:"currentLowPriorityNodes"`
		State     string `json:"allocationState"`
	} `json:"properties"`
}

func (p *pool) standing() Standing {
	f := p.Properties.Scale.Fixed
	switch {
	case f == nil || f.Dedicated+f.Low > 0:
		return Before
	case p.Properties.Dedicated+p.Properties.Low > 0 || strings.EqualFold(p.Properties.State, "Resizing"):
		return Passing
	}
	return After
}

func lookPool(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	raw, err := c.ARM.Get(ctx, at(p.Step.Target, versionBatch))
	if err != nil {
		return gone(err)
	}
	var in pool
	if json.Unmarshal(raw, &in) != nil {
		return "", unreadable("a Batch pool")
	}
	return in.standing(), nil
}

func shrinkPool(ctx context.Context, c *Cloud, s *Step) (string, error) {
	return c.ARM.Do(ctx, http.MethodPatch, at(s.Target, versionBatch), map[string]any{"properties": map[string]any{"scaleSettings": map[string]any{
		"fixedScale": map[string]any{"targetDedicatedNodes": 0, "targetLowPriorityNodes": 0, "nodeDeallocationOption": "Terminate"}}}})
}

func growPool(ctx context.Context, c *Cloud, s *Step) (string, error) {
	return c.ARM.Do(ctx, http.MethodPatch, at(s.Target, versionBatch), map[string]any{"properties": map[string]any{"scaleSettings": json.RawMessage(s.Before)}})
}

// compute is what of a compute of machine learning says whether it runs.
type compute struct {
	Properties struct {
		Type       string `json:"computeType"`
		Properties struct {
			State string          `json:"state"`
			VM    string          `json:"vmSize"`
			Scale json.RawMessage `json:"scaleSettings"`
			Nodes int             `json:"currentNodeCount"`
		} `json:"properties"`
	} `json:"properties"`
}

// cluster says that a compute has a scale, and no power of its own.
func (c *compute) cluster() bool { return strings.EqualFold(c.Properties.Type, "AmlCompute") }

func (c *compute) standing() (Standing, error) {
	p := &c.Properties.Properties
	if c.cluster() {
		var scale struct {
			Most *int `json:"maxNodeCount"`
		}
		switch {
		case json.Unmarshal(p.Scale, &scale) != nil || scale.Most == nil:
			return "", unreadable("a machine learning compute")
		case *scale.Most > 0:
			return Before, nil
		case p.Nodes > 0:
			return Passing, nil
		}
		return After, nil
	}
	switch strings.ToLower(p.State) {
	case "":
		return "", unreadable("a machine learning compute")
	case "stopped":
		return After, nil
	case "stopping", "deleting":
		return Passing, nil
	}
	return Before, nil
}

func readCompute(ctx context.Context, c *Cloud, target string) (out compute, err error) {
	raw, err := c.ARM.Get(ctx, at(target, versionLearning))
	if err == nil && json.Unmarshal(raw, &out) != nil {
		err = unreadable("a machine learning compute")
	}
	return out, err
}

func lookCompute(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	in, err := readCompute(ctx, c, p.Step.Target)
	if err != nil {
		return gone(err)
	}
	return in.standing()
}

func scaled(ctx context.Context, c *Cloud, s *Step, scale any) (string, error) {
	return c.ARM.Do(ctx, http.MethodPatch, at(s.Target, versionLearning), map[string]any{"properties": map[string]any{"properties": map[string]any{
		"scaleSettings": scale}}})
}

func stopCompute(ctx context.Context, c *Cloud, s *Step) (string, error) {
	if s.Before != "" { // a cluster: it had a scale
		return scaled(ctx, c, s, map[string]any{"minNodeCount": 0, "maxNodeCount": 0})
	}
	return post("stop", versionLearning)(ctx, c, s)
}

func startCompute(ctx context.Context, c *Cloud, s *Step) (string, error) {
	if s.Before != "" {
		return scaled(ctx, c, s, json.RawMessage(s.Before))
	}
	return post("start", versionLearning)(ctx, c, s)
}

func lookContainers(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	raw, err := c.ARM.Get(ctx, at(p.Step.Target, versionContainers))
	if err != nil {
		return gone(err)
	}
	var in struct {
		Properties struct {
			View struct {
				State string `json:"state"`
			} `json:"instanceView"`
		} `json:"properties"`
	}
	if json.Unmarshal(raw, &in) != nil || in.Properties.View.State == "" {
		return "", unreadable("a container group")
	}
	switch strings.ToLower(in.Properties.View.State) {
	case "stopped", "succeeded", "failed":
		return After, nil
	case "stopping", "terminating":
		return Passing, nil
	}
	return Before, nil
}

func lookRole(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	_, err := c.ARM.Get(ctx, at(p.Step.Target, versionRoles))
	switch {
	case absent(err):
		return After, nil
	case err != nil:
		return "", err
	}
	return Before, nil
}

func putRole(ctx context.Context, c *Cloud, s *Step) (string, error) {
	return c.ARM.Do(ctx, http.MethodPut, at(s.Target, versionRoles), map[string]any{"properties": json.RawMessage(s.Before)})
}

// quotaBody is a quota as it is read and asked for.
type quotaBody struct {
	Properties struct {
		Limit struct {
			Type  string `json:"limitObjectType"`
			Value *int64 `json:"value"`
		} `json:"limit"`
		Name struct {
			Value string `json:"value"`
		} `json:"name"`
	} `json:"properties"`
}

func lookQuota(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	raw, err := c.ARM.Get(ctx, at(p.Step.Target, versionQuota))
	if err != nil {
		return gone(err)
	}
	var in quotaBody
	if json.Unmarshal(raw, &in) != nil || in.Properties.Limit.Value == nil {
		return "", unreadable("a quota")
	}
	if *in.Properties.Limit.Value <= p.Step.Limit {
		return After, nil
	}
	return Before, nil
}

func quota(ctx context.Context, c *Cloud, s *Step, value int64) (string, error) {
	var q quotaBody
	q.Properties.Limit.Type, q.Properties.Limit.Value = "LimitValue", &value
	q.Properties.Name.Value = s.Target[strings.LastIndexByte(s.Target, '/')+1:]
	return c.ARM.Do(ctx, http.MethodPut, at(s.Target, versionQuota), q)
}

func putQuota(ctx context.Context, c *Cloud, s *Step) (string, error) {
	return quota(ctx, c, s, s.Limit)
}

func putFormerQuota(ctx context.Context, c *Cloud, s *Step) (string, error) {
	var was struct {
		Limit int64 `json:"limit"`
	}
	if json.Unmarshal([]byte(s.Before), &was) != nil || was.Limit <= s.Limit {
		return "", problem.New(problem.Internal, "the former quota is not known")
	}
	return quota(ctx, c, s, was.Limit)
}
