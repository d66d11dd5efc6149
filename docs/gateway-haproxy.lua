-- Asks a Partnerguard gateway whether a request may go on (docs/gateway-forward.md).
-- For HAProxy 2.6 or newer: lua-load this file, then
--   http-request lua.partnerguard http://127.0.0.1:8481/auth

local pass = { "authorization", "cookie", "user-agent", "accept", "sec-fetch-mode", "sec-fetch-dest", "x-requested-with" }

local function refuse(txn, status, headers, body)
	local reply = txn:reply()
	reply:set_status(status)
	for name, values in pairs(headers) do
		local lower = name:lower()
		if lower ~= "content-length" and lower ~= "transfer-encoding" and lower ~= "connection" then
			for _, value in pairs(values) do
				reply:add_header(name, value)
			end
		end
	end
	reply:set_body(body or "")
	txn:done(reply)
end

core.register_action("partnerguard", { "http-req" }, function(txn, address)
	local request = txn.http:req_get_headers()
	local hosts = request["host"]
	local ask = {
		["x-forwarded-method"] = { txn.f:method() },
		["x-forwarded-host"] = { hosts and hosts[0] or "" },
		["x-forwarded-uri"] = { txn.f:pathq() },
		["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" },
		["x-forwarded-for"] = { txn.f:src() },
	}
	for _, name in ipairs(pass) do
		if request[name] then
			local values = {}
			for i = 0, #request[name] do
				values[i + 1] = request[name][i]
			end
			ask[name] = values
		end
	end

	local answer = core.httpclient():get({ url = address, headers = ask, timeout = 5000 })
	if not answer or not answer.status or answer.status < 200 then
		return refuse(txn, 503, { ["cache-control"] = { [0] = "no-store" } }, "the gateway does not answer\n")
	end
	if answer.status > 299 then
		return refuse(txn, answer.status, answer.headers, answer.body)
	end

	-- What the caller says of itself goes, and what the gateway says comes.
	for name, _ in pairs(request) do
		if name:lower():gsub("_", "-"):find("^x%-partnerguard%-") then
			txn.http:req_del_header(name)
		end
	end
	for name, values in pairs(answer.headers) do
		if name:lower():find("^x%-partnerguard%-") and values[0] ~= "" then
			txn.http:req_set_header(name, values[0])
		end
	end
end, 1)
