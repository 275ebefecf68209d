// The gate at the edge: a CloudFront Function (runtime 2.0) that refuses reservations before they cost anything.
//
// It judges a request by its product, which is in the path or in the parameter `product_id`, and by the product's value in the
// KeyValueStore. `feed-edge` writes that value (`shared/contract/src/gate.rs`). Whatever the gate does not know for certain, it
// lets through: the API decides again, and tests compare the two. It refuses with the API's own problems, member by member.
import cf from 'cloudfront';

const kvs = cf.kvs();

// A clock is off by at most two seconds either way. So the edge may be up to four seconds ahead of the API, or behind it.
const CLOCKS_DIFFER_MS = 4000;
// The gate refuses nothing that the API would grant this much later.
const LOOKS_AHEAD_MS = 2000;
// Shoppers must not learn of a hidden sale from a clock that is fast.
const CLOCK_IS_FAST_MS = 2000;

const PRODUCT = /^[a-z0-9_-]{1,64}$/;
const ORDER = /^\/api\/flash-sales\/([^/]+)\/order\/?$/;
const RESERVE = /^\/(reserve-inventory|add-to-cart)\/?$/;

async function handler(event) {
    const request = event.request;
    try {
        const product = productOf(request);
        if (product === null) return request;
        const sale = JSON.parse(await kvs.get(product));
        return refusal(sale, Date.now(), event.context.requestId) || request;
    } catch (_) {
        // The store has no such key, or a value that this version cannot read.
        return request;
    }
}

// The product of a request that reserves units; null for every other request.
function productOf(request) {
    if (request.method !== 'POST') return null;
    const order = ORDER.exec(request.uri);
    let product = order ? order[1] : null;
    if (RESERVE.test(request.uri)) {
        const parameter = request.querystring.product_id;
        // A repeated parameter is the API's to refuse.
        product = parameter && !parameter.multiValue ? parameter.value : null;
    }
    return product !== null && PRODUCT.test(product) ? product : null;
}

// The answer to a reservation in `sale` at `now`; null if the API might grant it. The order is that of the API.
function refusal(sale, now, id) {
    if (sale.v !== 1 || (sale.visible_ms && now < sale.visible_ms + CLOCK_IS_FAST_MS)) return null;
    if (sale.status === 'closed' || now >= sale.ends_ms + CLOCKS_DIFFER_MS) {
        return problem(id, 410, 'Gone', 'sale-ended', 'The sale has ended', 'The sale is over.', {}, {});
    }
    if (sale.status !== 'timed') return null;
    if (now + CLOCKS_DIFFER_MS + LOOKS_AHEAD_MS < sale.starts_ms) {
        const seconds = Math.ceil((sale.starts_ms - now) / 1000);
        return problem(id, 409, 'Conflict', 'sale-not-started', 'The sale has not started',
            'The sale starts at ' + sale.starts_at + '.', { starts_at: sale.starts_at }, { 'retry-after': String(seconds) });
    }
    const stock = sale.sold_out;
    if (!stock || now + CLOCKS_DIFFER_MS + LOOKS_AHEAD_MS >= stock.until_ms) return null;
    const holds = { count: stock.held };
    if (stock.next_ends_ms > now) holds.next_ends_at = stock.next_ends_at;
    if (stock.half_end_ms > now) holds.half_end_at = stock.half_end_at;
    return problem(id, 409, 'Conflict', 'sold-out', 'Sold out',
        'Not enough units are left. Held units may become available again. If an answer of yours was lost, '
        + 'GET /reservations?product_id= returns your reservation, if you have one.',
        { available_quantity: 0, holds: holds }, {});
}

// A problem (RFC 9457) as the API renders it. `instance` is CloudFront's id of the request.
function problem(id, status, statusDescription, code, title, detail, members, extra) {
    const body = { type: '/problems/' + code, title: title, status: status, detail: detail, instance: id, code: code };
    const headers = {
        'content-type': { value: 'application/problem+json' },
        'cache-control': { value: 'no-store' },
        'access-control-allow-origin': { value: '*' },
        'access-control-expose-headers': { value: 'Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id' },
        'strict-transport-security': { value: 'max-age=31536000' },
        'x-content-type-options': { value: 'nosniff' },
        'x-frame-options': { value: 'DENY' },
        'x-request-id': { value: id },
    };
    Object.keys(members).forEach((name) => { body[name] = members[name]; });
    Object.keys(extra).forEach((name) => { headers[name] = { value: extra[name] }; });
    return {
        statusCode: status,
        statusDescription: statusDescription,
        headers: headers,
        body: { encoding: 'text', data: JSON.stringify(body) },
    };
}
