//! Code of the application whose panic ends no more than itself.
//!
//! A panic in WebAssembly is a trap, which goes through every frame up to JavaScript. So what may panic is called through JavaScript, which makes an
//! error of it. What the code has owned by then stays in memory.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use js_sys::Function;
use wasm_bindgen::prelude::*;

/// Runs code of the application. Fails with its panic.
pub(crate) fn caught<R: 'static>(run: impl FnOnce() -> R + 'static) -> Result<R, JsValue> {
    let result = Rc::new(Cell::new(None));
    let place = result.clone();
    let closure = Closure::once(move || place.set(Some(run())));
    closure.as_ref().unchecked_ref::<Function>().call0(&JsValue::UNDEFINED)?;
    result.take().ok_or(JsValue::UNDEFINED)
}

/// Waits for a future of the application. Fails with its panic.
pub(crate) async fn awaited<T: 'static>(future: Pin<Box<dyn Future<Output = T>>>) -> Result<T, JsValue> {
    let mut waiting = Some(future);
    poll_fn(move |context| {
        let Some(mut future) = waiting.take() else { return Poll::Pending };
        let waker = context.waker().clone();
        let polled = caught(move || match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => Ok(value),
            Poll::Pending => Err(future),
        });
        match polled {
            Ok(Ok(value)) => Poll::Ready(Ok(value)),
            Ok(Err(future)) => {
                waiting = Some(future);
                Poll::Pending
            }
            Err(cause) => Poll::Ready(Err(cause)),
        }
    })
    .await
}
