package center

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Bounds of devices: ours.
const (
	maxDevices  = 1_000
	maxKept     = 20_000 // devices of a customer
	maxBatches  = 100
	maxPolicies = 100
	maxJobs     = 100
)

// outOfBox is the one category of policies there is: how a computer is set up out of
// the box.
const outOfBox = "o_o_b_e"

var policySettings = []string{"none", "remove_oem_preinstalls", "oobe_user_not_local_admin", "skip_express_settings", "skip_oem_registration", "skip_eula"}

type deviceInput struct {
	ID       *string `json:"id"`
	Serial   string  `json:"serialNumber"`
	Product  string  `json:"productKey"`
	Hash     string  `json:"hardwareHash"`
	Model    string  `json:"modelName"`
	Maker    string  `json:"oemManufacturerName"`
	Policies []struct {
		Key   string  `json:"key"`
		Value *string `json:"value"`
	} `json:"policies"`

	CreatedBy any `json:"createdBy"`
	Uploaded  any `json:"uploadedDate"`
	Allowed   any `json:"allowedOperations"`
	sent
}

func deviceView(d *world.BatchDevice) map[string]any {
	var policy any
	if d.Policy != "" {
		policy = d.Policy
	}
	return map[string]any{"id": d.ID, "serialNumber": d.Serial, "productKey": d.Product, "modelName": d.Model, "oemManufacturerName": d.Maker,
		"policies": []any{map[string]any{"key": outOfBox, "value": policy}}, "uploadedDate": stamp(d.Uploaded), "attributes": object("Device")}
}

func listBatches(k *call) (reply, *fault) {
	rows := []map[string]any{}
	for _, b := range k.customer.Trade().Batches {
		rows = append(rows, map[string]any{"id": b.ID, "createdBy": b.By, "status": "finished", "creationDate": stamp(b.Created),
			"devicesCount": len(b.Devices), "devicesLink": get("/customers/" + k.customer.TenantID + "/deviceBatches/" + b.ID + "/devices"),
			"attributes": object("DeviceBatch")})
	}
	return ok(list(rows)), nil
}

func (k *call) batchIn() (int, *fault) {
	for i, b := range k.customer.Trade().Batches {
		if strings.EqualFold(b.ID, k.params["batch"]) {
			return i, nil
		}
	}
	return -1, deny(entra.CenterNotFound)
}

func listDevices(k *call, i int) (reply, *fault) {
	rows := []map[string]any{}
	b := k.customer.Trade().Batches[i]
	for n := range b.Devices {
		rows = append(rows, deviceView(&b.Devices[n]))
	}
	return ok(list(rows)), nil
}

// createBatch takes devices as a new batch. It answers with where the work is told
// about: it is done at once.
func createBatch(k *call) (reply, *fault) {
	var in struct {
		ID      string        `json:"batchId"`
		Devices []deviceInput `json:"devices"`
		sent
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	batches := k.customer.Trade().Batches
	switch {
	case in.ID == "" || len(in.ID) > 100 || strings.ContainsAny(in.ID, "/?#%\\"):
		return reply{}, deny(entra.CenterMalformed, "batchId is missing or has characters that a path cannot hold.")
	case slices.ContainsFunc(batches, func(b world.DeviceBatch) bool { return strings.EqualFold(b.ID, in.ID) }):
		return reply{}, refuse(http.StatusConflict, 409, "There is a batch %s already.", clip(in.ID))
	case len(batches) >= maxBatches:
		return reply{}, deny(entra.CenterMalformed, "the customer has too many batches.")
	}
	return k.upload(in.Devices, func(made []world.BatchDevice) func(*world.Commerce) {
		return func(t *world.Commerce) {
			t.Batches = append(slices.Clone(t.Batches), world.DeviceBatch{ID: in.ID, By: k.changedBy(), Created: k.now, Devices: made})
		}
	})
}

// addDevices takes devices into a batch that is there: the body is a bare array.
func addDevices(k *call, i int) (reply, *fault) {
	var in []deviceInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	return k.upload(in, func(made []world.BatchDevice) func(*world.Commerce) {
		return func(t *world.Commerce) {
			t.Batches = slices.Clone(t.Batches)
			t.Batches[i].Devices = append(slices.Clone(t.Batches[i].Devices), made...)
		}
	})
}

// upload registers devices; one that is registered already is told in the job.
func (k *call) upload(in []deviceInput, into func([]world.BatchDevice) func(*world.Commerce)) (reply, *fault) {
	if len(in) == 0 || len(in) > maxDevices {
		return reply{}, deny(entra.CenterMalformed, "1 to 1000 devices are needed.")
	}
	known, n := map[string]bool{}, 0
	for _, b := range k.customer.Trade().Batches {
		n += len(b.Devices)
		for _, d := range b.Devices {
			known[strings.ToLower(d.Serial)] = true
		}
	}
	if n >= maxKept {
		return reply{}, deny(entra.CenterMalformed, "the customer has too many devices.")
	}
	job := world.BatchJob{ID: world.NewGUID(), Started: k.now}
	var made []world.BatchDevice
	for _, x := range in {
		if len(x.Serial)+len(x.Product)+len(x.Model)+len(x.Maker) > 4*maxName || len(x.Hash) > 16<<10 || x.Serial == "" && x.Product == "" && x.Hash == "" {
			return reply{}, deny(entra.CenterMalformed, "a device needs a serialNumber, a productKey or a hardwareHash, none too long.")
		}
		d := world.BatchDevice{ID: world.NewGUID(), Serial: x.Serial, Product: x.Product, Model: x.Model, Maker: x.Maker, Uploaded: k.now}
		if x.Hash != "" {
			sum := sha256.Sum256([]byte(x.Hash))
			d.Hash = hex.EncodeToString(sum[:])
		}
		job.Devices = append(job.Devices, d)
		if s := strings.ToLower(x.Serial); s != "" && known[s] {
			job.Errors = append(job.Errors, "806") // in our words: registered already
			continue
		}
		known[strings.ToLower(x.Serial)] = true
		job.Errors = append(job.Errors, "")
		made = append(made, d)
	}
	k.trade(into(made))
	k.record("device", "upload_device", nil, map[string]any{"devices": len(made)})
	return k.started(job), nil
}

// started keeps a job and leads to it.
func (k *call) started(job world.BatchJob) reply {
	k.trade(func(t *world.Commerce) {
		t.Jobs = append(slices.Clone(t.Jobs), job)
		if len(t.Jobs) > maxJobs {
			t.Jobs = slices.Clone(t.Jobs[len(t.Jobs)-maxJobs:])
		}
	})
	return reply{status: http.StatusAccepted, header: map[string]string{"Location": "/customers/" + k.customer.TenantID + "/batchJobStatus/" + job.ID}}
}

func jobStatus(k *call) (reply, *fault) {
	for _, j := range k.customer.Trade().Jobs {
		if !strings.EqualFold(j.ID, k.params["job"]) {
			continue
		}
		status, rows := "finished", []map[string]any{}
		for i, d := range j.Devices {
			row := map[string]any{"deviceId": d.ID, "serialNumber": d.Serial, "productKey": d.Product, "status": "finished", "errorCode": "",
				"errorDescription": "", "attributes": object("DeviceUploadDetails")}
			if j.Errors[i] != "" {
				status = "finished_with_errors"
				row["status"], row["errorCode"], row["errorDescription"] = "finished_with_errors", j.Errors[i], "ZtdDeviceAlreadyAssigned"
			}
			rows = append(rows, row)
		}
		return ok(map[string]any{"batchTrackingId": j.ID, "status": status, "startedTime": stamp(j.Started), "completedTime": stamp(j.Started),
			"devicesStatus": rows, "attributes": object("BatchUploadDetails")}), nil
	}
	return reply{}, deny(entra.CenterNotFound)
}

func deleteDevice(k *call, i int) (reply, *fault) {
	devices := k.customer.Trade().Batches[i].Devices
	n := slices.IndexFunc(devices, func(d world.BatchDevice) bool { return strings.EqualFold(d.ID, k.params["device"]) })
	if n < 0 {
		return reply{}, deny(entra.CenterNotFound)
	}
	gone := devices[n]
	k.trade(func(t *world.Commerce) {
		t.Batches = slices.Clone(t.Batches)
		t.Batches[i].Devices = slices.Delete(slices.Clone(devices), n, n+1)
	})
	k.record("device", "delete_device", deviceView(&gone), nil)
	return reply{status: http.StatusNoContent}, nil
}

// updateDevices gives devices a policy, or takes it away.
func updateDevices(k *call) (reply, *fault) {
	var in struct {
		Devices []deviceInput `json:"devices"`
		sent
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if len(in.Devices) == 0 || len(in.Devices) > maxDevices {
		return reply{}, deny(entra.CenterMalformed, "1 to 1000 devices are needed.")
	}
	trade := k.customer.Trade()
	batches := slices.Clone(trade.Batches)
	job := world.BatchJob{ID: world.NewGUID(), Started: k.now}
	for _, x := range in.Devices {
		policy := ""
		for _, p := range x.Policies {
			if p.Key != outOfBox {
				return reply{}, deny(entra.CenterEnum, "key")
			}
			if p.Value != nil {
				policy = *p.Value
			}
		}
		if policy != "" && !slices.ContainsFunc(trade.Policies, func(p world.DevicePolicy) bool { return strings.EqualFold(p.ID, policy) }) {
			return reply{}, deny(entra.CenterMalformed, "a policy is none of the customer's.")
		}
		found := false
		for i := range batches {
			n := slices.IndexFunc(batches[i].Devices, func(d world.BatchDevice) bool { return x.ID != nil && strings.EqualFold(d.ID, *x.ID) })
			if n < 0 {
				continue
			}
			batches[i].Devices = slices.Clone(batches[i].Devices)
			batches[i].Devices[n].Policy = policy
			job.Devices, job.Errors, found = append(job.Devices, batches[i].Devices[n]), append(job.Errors, ""), true
		}
		if !found {
			return reply{}, deny(entra.CenterMalformed, "a device is none of the customer's.")
		}
	}
	k.trade(func(t *world.Commerce) { t.Batches = batches })
	return k.started(job), nil
}

type policyInput struct {
	ID          *string  `json:"id"`
	Name        string   `json:"name"`
	Category    string   `json:"category"`
	Description string   `json:"description"`
	Settings    []string `json:"policySettings"`

	policyEcho
}

// policyEcho are what a client sends back as it was read.
type policyEcho struct {
	Assigned any `json:"devicesAssigned"`
	Count    any `json:"devicesAssignedCount"`
	Created  any `json:"createdDate"`
	Changed  any `json:"lastModifiedDate"`
	sent
}

func (k *call) policyView(p *world.DevicePolicy) map[string]any {
	n := 0
	for _, b := range k.customer.Trade().Batches {
		for _, d := range b.Devices {
			if strings.EqualFold(d.Policy, p.ID) {
				n++
			}
		}
	}
	return map[string]any{"id": p.ID, "name": p.Name, "category": p.Category, "description": p.Description, "devicesAssigned": n, "policySettings": p.Settings,
		"createdDate": stamp(p.Created), "lastModifiedDate": stamp(p.Changed), "attributes": object("ConfigurationPolicy")}
}

func (k *call) readPolicy() (*policyInput, *fault) {
	in := new(policyInput)
	if f := k.decode(in); f != nil {
		return nil, f
	}
	switch {
	case in.Name == "" || len(in.Name) > maxName || len(in.Description) > 4*maxName:
		return nil, deny(entra.CenterMalformed, "name is missing, or a member is too long.")
	case in.Category != outOfBox && in.Category != "OOBE":
		return nil, deny(entra.CenterEnum, "category")
	case len(in.Settings) > len(policySettings) || slices.ContainsFunc(in.Settings, func(v string) bool { return !contains(policySettings, v) }):
		return nil, deny(entra.CenterEnum, "policySettings")
	}
	in.Category, in.Settings = outOfBox, orEmpty(in.Settings)
	return in, nil
}

func listPolicies(k *call) (reply, *fault) {
	rows := []map[string]any{}
	for _, p := range k.customer.Trade().Policies {
		rows = append(rows, k.policyView(&p))
	}
	return ok(list(rows)), nil
}

func (k *call) policyIn() (int, *fault) {
	i := slices.IndexFunc(k.customer.Trade().Policies, func(p world.DevicePolicy) bool { return strings.EqualFold(p.ID, k.params["policy"]) })
	if i < 0 {
		return i, deny(entra.CenterNotFound)
	}
	return i, nil
}

func getPolicy(k *call, i int) (reply, *fault) {
	p := k.customer.Trade().Policies[i]
	return ok(k.policyView(&p)), nil
}

// createPolicy answers 200, as Microsoft's page shows it.
func createPolicy(k *call) (reply, *fault) {
	in, f := k.readPolicy()
	if f != nil {
		return reply{}, f
	}
	if len(k.customer.Trade().Policies) >= maxPolicies {
		return reply{}, deny(entra.CenterMalformed, "the customer has too many policies.")
	}
	if f := unchanged(in.policyEcho, nil); f != nil {
		return reply{}, f
	}
	p := world.DevicePolicy{ID: world.NewGUID(), Name: in.Name, Category: in.Category, Description: in.Description, Settings: in.Settings, Created: k.now,
		Changed: k.now}
	k.trade(func(t *world.Commerce) { t.Policies = append(slices.Clone(t.Policies), p) })
	k.record("policy", "create_policy", nil, k.policyView(&p))
	return ok(k.policyView(&p)), nil
}

func changePolicy(k *call, i int) (reply, *fault) {
	in, f := k.readPolicy()
	if f != nil {
		return reply{}, f
	}
	p := k.customer.Trade().Policies[i]
	if in.ID != nil && *in.ID != "" && !strings.EqualFold(*in.ID, p.ID) {
		return reply{}, deny(entra.CenterMalformed, "the body is another policy than the path.")
	}
	before := k.policyView(&p)
	if f := unchanged(in.policyEcho, before); f != nil {
		return reply{}, f
	}
	p.Name, p.Description, p.Settings, p.Changed = in.Name, in.Description, in.Settings, k.now
	k.trade(func(t *world.Commerce) { t.Policies = slices.Clone(t.Policies); t.Policies[i] = p })
	k.record("policy", "update_policy", before, k.policyView(&p))
	return ok(k.policyView(&p)), nil
}

// deletePolicy refuses while devices have it.
func deletePolicy(k *call, i int) (reply, *fault) {
	p := k.customer.Trade().Policies[i]
	v := k.policyView(&p)
	if v["devicesAssigned"] != 0 {
		return reply{}, refuse(http.StatusConflict, 409, "The policy is assigned to devices.")
	}
	k.trade(func(t *world.Commerce) { t.Policies = slices.Delete(slices.Clone(t.Policies), i, i+1) })
	k.record("policy", "delete_policy", v, nil)
	return reply{status: http.StatusNoContent}, nil
}
