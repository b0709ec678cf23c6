// The cloud of all words: one WebGL point for each, frequent words larger.

const VERTEX = `#version 300 es
in vec2 place;
uniform vec2 centre;
uniform vec2 scale;
uniform float size;
uniform float count;
out float strength;
void main() {
  float rank = log(float(gl_VertexID) + 2.0) / log(count + 2.0);
  gl_Position = vec4((place - centre) * scale, 0.0, 1.0);
  gl_PointSize = size * mix(2.2, 0.8, rank);
  strength = mix(1.0, 0.55, rank);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in float strength;
uniform vec4 ink;
out vec4 color;
void main() {
  float from = length(gl_PointCoord - 0.5) * 2.0;
  float alpha = ink.a * strength * (1.0 - smoothstep(0.7, 1.0, from));
  color = vec4(ink.rgb * alpha, alpha);
}`;

export class Cloud {
  /** Throws an Error if the browser does not support WebGL 2. */
  constructor(canvas) {
    this.canvas = canvas;
    this.places = new Float32Array(0);
    this.gl = canvas.getContext("webgl2", { antialias: false, depth: false });
    if (!this.gl) throw new Error("no WebGL 2");
    this.prepare();
    // The context is lost and restored when a laptop sleeps or a driver restarts.
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.prepare();
      this.fill(this.places);
    });
  }

  prepare() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getProgramInfoLog(program));
    }
    gl.useProgram(program);
    this.uniforms = Object.fromEntries(["centre", "scale", "size", "count", "ink"].map(
      (name) => [name, gl.getUniformLocation(program, name)]));
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    const place = gl.getAttribLocation(program, "place");
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, 2, gl.FLOAT, false, 0, 0);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Set the positions of the words, x0 y0 x1 y1 ..., the most frequent first. */
  fill(places) {
    this.places = places;
    this.gl.bufferData(this.gl.ARRAY_BUFFER, places, this.gl.STATIC_DRAW);
  }

  /** Draw the first `count` words; `scale` is CSS pixels per unit, `ink` is a color as [red, green, blue, alpha]. */
  draw({ centre, scale, width, height, ratio, size, count, ink }) {
    const { gl, uniforms } = this;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniforms.centre, centre.x, centre.y);
    gl.uniform2f(uniforms.scale, (2 * scale) / width, (2 * scale) / height);
    gl.uniform1f(uniforms.size, size * ratio);
    gl.uniform1f(uniforms.count, this.places.length / 2);
    gl.uniform4fv(uniforms.ink, ink);
    gl.drawArrays(gl.POINTS, 0, count);
  }
}
