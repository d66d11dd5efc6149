//go:build !judge

package inquiry

import (
	"strconv"
	"strings"
)

// heavy are the operations by which Azure's computers are made to work, in lower case, with
// what they make (contracts-2026-11.md section 4).
var heavy = map[string]string{
	"microsoft.compute/virtualmachines/write":                            "virtual machine",
	"microsoft.compute/virtualmachines/start/action":                     "virtual machine",
	"microsoft.compute/virtualmachinescalesets/write":                    "scale set",
	"microsoft.compute/virtualmachinescalesets/start/action":             "scale set",
	"microsoft.batch/batchaccounts/write":                                "Batch account",
	"microsoft.batch/batchaccounts/pools/write":                          "Batch pool",
	"microsoft.machinelearningservices/workspaces/write":                 "machine learning workspace",
	"microsoft.machinelearningservices/workspaces/computes/write":        "machine learning compute",
	"microsoft.containerinstance/containergroups/write":                  "container group",
	"microsoft.containerservice/managedclusters/write":                   "Kubernetes cluster",
	"microsoft.containerservice/managedclusters/agentpools/write":        "Kubernetes node pool",
	"microsoft.app/jobs/write":                                           "container job",
	"microsoft.app/containerapps/write":                                  "container app",
	"microsoft.databricks/workspaces/write":                              "Databricks workspace",
	"microsoft.machinelearningservices/workspaces/onlineendpoints/write": "machine learning endpoint",
}

// elevating are the operations by which rights in Azure are given.
const (
	opAssign  = "microsoft.authorization/roleassignments/write"
	opElevate = "microsoft.authorization/elevateaccess/action"
)

// quotas are parts of the operations that ask for more quota.
var quotas = []string{"microsoft.quota/", "microsoft.capacity/resourceproviders", "microsoft.support/supporttickets/write"}

func asksQuota(op string) bool {
	if !strings.HasSuffix(op, "/write") && !strings.HasSuffix(op, "/action") {
		return false
	}
	for _, q := range quotas {
		if strings.HasPrefix(op, q) {
			return true
		}
	}
	return false
}

// roleNames are the built-in roles of Azure that are named (Azure built-in roles).
var roleNames = map[string]string{
	"8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
	"b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
	"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
	"f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
	"9980e02c-c2be-4d73-94e8-173b1dc7cf3c": "Virtual Machine Contributor",
	"acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
}

// roleOf is a role's name by the path or id of its definition; "" is none.
func roleOf(definition string) string {
	id := strings.ToLower(definition[strings.LastIndexByte(definition, '/')+1:])
	if n := roleNames[id]; n != "" {
		return n
	}
	return id
}

// writes says that a role lets somebody make resources, or give rights, anywhere in its scope.
func writes(role string) bool {
	switch role {
	case "Owner", "Contributor", "User Access Administrator", "Role Based Access Control Administrator", "Virtual Machine Contributor":
		return true
	}
	return false
}

// manyCores is from how many cores on a size counts as large.
const manyCores = 32

// sizeOf reads a size of a virtual machine: whether it has GPUs or FPGAs, and how many cores
// its name says, 0 where it says none ("Standard_NC24ads_A100_v4": true, 24).
func sizeOf(sku string) (gpu bool, cores int) {
	s := strings.ToLower(sku)
	for _, p := range []string{"standard_", "basic_", "internal_"} {
		s = strings.TrimPrefix(s, p)
	}
	i := strings.IndexFunc(s, func(r rune) bool { return r >= '0' && r <= '9' })
	if i <= 0 || i > 4 {
		return false, 0
	}
	j := i
	for j < len(s) && s[j] >= '0' && s[j] <= '9' {
		j++
	}
	cores, _ = strconv.Atoi(s[i:j])
	if cores > 4096 {
		cores = 0
	}
	return s[0] == 'n', cores
}

// strongSize says why a size is one that miners want; "" is none.
func strongSize(sku string) string {
	switch gpu, cores := sizeOf(sku); {
	case gpu:
		return "GPU"
	case cores >= manyCores:
		return strconv.Itoa(cores) + " cores"
	}
	return ""
}

// parts of a path of Azure's.
func subscriptionOf(path string) string { return after(path, "/subscriptions/") }
func groupOf(path string) string        { return after(path, "/resourcegroups/") }

func after(path, mark string) string {
	low := strings.ToLower(path)
	i := strings.Index(low, mark)
	if i < 0 {
		return ""
	}
	s, _, _ := strings.Cut(low[i+len(mark):], "/")
	return s
}

// lastName is the last part of a path.
func lastName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// typeOf is the type that an operation is about: "microsoft.compute/virtualmachines".
func typeOf(op string) string {
	for _, end := range []string{"/write", "/delete", "/action"} {
		op = strings.TrimSuffix(op, end)
	}
	return op
}

// regionKey is a region's name as it compares: "West Europe" is "westeurope".
func regionKey(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }
